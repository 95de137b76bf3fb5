//! Times in Go's layouts, which are written as the time `Mon Jan 2 15:04:05 MST 2006`.

mod element;
mod read;
mod write;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

pub(super) use read::parse;
pub(super) use write::{format, month, weekday};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Go's zero time, the first second of the year 1 in UTC.
pub(super) fn zero() -> Zoned {
    let seconds = SignedDuration::from_secs(-62_135_596_800);
    let zero = Timestamp::from_duration(seconds).unwrap_or(Timestamp::MIN);
    zero.to_zoned(TimeZone::UTC)
}
