//! `time_intervals` and the older `mute_time_intervals`.

use std::ops::{Range, RangeInclusive};

use jiff::tz::TimeZone;
use vigie_alerts::yaml::{Text, shown};

use super::table::Table;
use crate::interval::{TimeInterval, TimeIntervals};

const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

pub(super) fn read_all(root: &Table<'_, '_, '_>) -> Vec<TimeIntervals> {
    let mut intervals: Vec<TimeIntervals> = Vec::new();
    for key in ["mute_time_intervals", "time_intervals"] {
        for table in root.tables(key, "a time interval") {
            let name = table.required("name");
            let parts = table.tables("time_intervals", "a part of a time interval");
            let parts = parts.into_iter().map(part).collect();
            table.finish(&[]);
            let Some(name) = name else { continue };
            if intervals.iter().any(|known| known.name == **name) {
                let found = format!("two time intervals are named `{}`", shown(name));
                root.reader()
                    .problem(name.span(), found, "a name is used once", None);
            }
            intervals.push(TimeIntervals {
                name: name.to_string(),
                parts,
            });
        }
    }
    intervals
}

fn part(table: Table<'_, '_, '_>) -> TimeInterval {
    let weekdays = "days as in monday or monday:friday, from sunday to saturday";
    let days = "days as in 1, 1:15 or -3:-1, not 0 and not beyond 31";
    let months = "months as in 1, january or may:august";
    let years = "years as in 2030 or 2030:2032";
    let interval = TimeInterval {
        times: times(&table),
        weekdays: ranges(&table, "weekdays", weekdays, |text| {
            named(text, &WEEKDAYS, 0, false)
        }),
        days_of_month: ranges(&table, "days_of_month", days, days_of_month),
        months: ranges(&table, "months", months, |text| {
            named(text, &MONTHS, 1, true)
        }),
        years: ranges(&table, "years", years, |text| {
            range(text, |text| text.parse().ok())
        }),
        location: location(&table),
    };
    table.finish(&[]);
    interval
}

/// Nothing given means no condition.
fn ranges<T>(
    table: &Table<'_, '_, '_>,
    name: &'static str,
    accepted: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    table.take(name)?;
    let mut parsed = Vec::new();
    for text in table.text_nodes(name) {
        match parse(&text.to_lowercase()) {
            Some(range) => parsed.push(range),
            None => {
                let found = format!("`{}` in `{name}`", shown(text));
                let accepted = format!("accepted: {accepted}");
                table.reader().problem(text.span(), found, accepted, None);
            }
        }
    }
    Some(parsed)
}

/// `a` or `a:b`, of which `b` is not smaller.
fn range(text: &str, member: impl Fn(&str) -> Option<i32>) -> Option<RangeInclusive<i32>> {
    let (begin, end) = text.split_once(':').unwrap_or((text, text));
    let range = member(begin)?..=member(end)?;
    (!range.is_empty()).then_some(range)
}

fn named(text: &str, names: &[&str], first: i32, numbers: bool) -> Option<RangeInclusive<i32>> {
    range(text, |member| {
        let mut numbered = (first..).zip(names);
        let number = numbered.find_map(|(number, name)| (*name == member).then_some(number));
        let number = number.or_else(|| numbers.then(|| member.parse().ok())?);
        let last = first + i32::try_from(names.len()).ok()?;
        number.filter(|number| (first..last).contains(number))
    })
}

/// Days count from the end of the month if they are negative; a month has 28 days at least.
fn days_of_month(text: &str) -> Option<RangeInclusive<i32>> {
    let (begin, end) = text.split_once(':').unwrap_or((text, text));
    let day = |text: &str| {
        let day: i32 = text.parse().ok()?;
        (day != 0 && (-31..=31).contains(&day)).then_some(day)
    };
    let (begin, end) = (day(begin)?, day(end)?);
    let from_start = |day: i32| if day < 0 { 28 + day } else { day };
    let ordered = from_start(begin) <= from_start(end) && !(begin < 0 && end > 0);
    // Days that end before they begin in some months are valid: they are none in those.
    ordered.then_some(RangeInclusive::new(begin, end))
}

fn times(table: &Table<'_, '_, '_>) -> Option<Vec<Range<u16>>> {
    table.take("times")?;
    let mut times = Vec::new();
    for table in table.tables("times", "a range of times") {
        let start = clock(&table, "start_time");
        let end = clock(&table, "end_time");
        if let (Some((start, _)), Some((end, at))) = (start, end) {
            if start >= end {
                let found = "a range of times that ends before it starts";
                let accepted = "an interval over midnight is written as two";
                table.reader().problem(at, found, accepted, None);
            }
            times.push(start..end);
        }
        table.finish(&[]);
    }
    Some(times)
}

/// The minute of the day, and where it stands.
fn clock(table: &Table<'_, '_, '_>, name: &'static str) -> Option<(u16, Range<usize>)> {
    if table.filled(name).is_none() {
        table.missing(name);
        return None;
    }
    let accepted = "a time from 00:00 to 24:00, in quotes";
    table.parsed(name, accepted, |text| {
        Some((minute_of_day(text)?, text.span()))
    })
}

fn minute_of_day(text: &Text) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= 24 * 60).then_some(minute)
}

fn location(table: &Table<'_, '_, '_>) -> Option<TimeZone> {
    let accepted = "a name of the time zone database, as in Europe/Paris, or UTC or Local";
    table.parsed("location", accepted, |text| match &**text {
        "" | "UTC" => Some(TimeZone::UTC),
        "Local" => Some(TimeZone::system()),
        name => TimeZone::get(name).ok(),
    })
}
