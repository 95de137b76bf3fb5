//! Time intervals that mute or activate routes.

use std::ops::{Range, RangeInclusive};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Time;
use crate::time::timestamp;

/// A named time interval: it holds while any of its parts does.
#[derive(Clone, Debug)]
pub struct TimeIntervals {
    /// Its name.
    pub name: String,
    /// Its parts.
    pub parts: Vec<TimeInterval>,
}

/// A part: it holds while all of its conditions do. A condition that is not given holds always; one with an empty list never
/// does.
#[derive(Clone, Debug, Default)]
pub struct TimeInterval {
    /// Minutes of the day.
    pub times: Option<Vec<Range<u16>>>,
    /// Days of the week, from Sunday, which is 0.
    pub weekdays: Option<Vec<RangeInclusive<i32>>>,
    /// Days of the month, from 1; negative ones count from its end, which is -1.
    pub days_of_month: Option<Vec<RangeInclusive<i32>>>,
    /// Months, from 1.
    pub months: Option<Vec<RangeInclusive<i32>>>,
    /// Years.
    pub years: Option<Vec<RangeInclusive<i32>>>,
    /// The time zone of all of these; UTC if it is not given.
    pub location: Option<TimeZone>,
}

impl TimeIntervals {
    /// Whether it holds.
    #[must_use]
    pub fn contains(&self, now: Time) -> bool {
        self.parts.iter().any(|part| part.contains(now))
    }
}

impl TimeInterval {
    /// Whether it holds.
    #[must_use]
    pub fn contains(&self, now: Time) -> bool {
        // No clock shows a time beyond the year 9999.
        let now = timestamp(now);
        let zone = self.location.clone().unwrap_or(TimeZone::UTC);
        self.contains_local(now.to_zoned(zone).datetime())
    }

    fn contains_local(&self, now: DateTime) -> bool {
        let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
        let minute = u16::try_from(minute).unwrap_or_default();
        let weekday = i32::from(now.weekday().to_sunday_zero_offset());
        let last = i32::from(now.days_in_month());
        let any = |ranges: &Option<Vec<RangeInclusive<i32>>>, value: i32| {
            let ranges = ranges.as_ref();
            ranges.is_none_or(|ranges| ranges.iter().any(|range| range.contains(&value)))
        };
        let times = self.times.as_ref();
        times.is_none_or(|times| times.iter().any(|range| range.contains(&minute)))
            && any(&self.weekdays, weekday)
            && any(&self.months, i32::from(now.month()))
            && any(&self.years, i32::from(now.year()))
            && self.days_of_month.as_ref().is_none_or(|ranges| {
                let day = i32::from(now.day());
                ranges.iter().any(|range| in_month(range, day, last))
            })
    }
}

/// Whether a day is in the range, in a month that has `last` days.
fn in_month(range: &RangeInclusive<i32>, day: i32, last: i32) -> bool {
    let from_start = |day: i32| if day < 0 { last + 1 + day } else { day };
    (from_start(*range.start())..=from_start(*range.end())).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn holds(yaml: &str, time: &str) -> bool {
        let text = format!(
            "route: {{receiver: a}}\nreceivers: [{{name: a}}]\n\
             time_intervals: [{{name: t, time_intervals: [{yaml}]}}]\n"
        );
        let config = config::load(&text).unwrap_or_else(|error| panic!("{yaml}: {error}"));
        let time: jiff::Timestamp = time.parse().unwrap();
        config.time_intervals[0].contains(time.as_millisecond())
    }

    #[test]
    fn conditions() {
        for (yaml, inside, outside) in [
            (
                "{times: [{start_time: '09:00', end_time: '17:00'}]}",
                "2026-03-02T09:00:00Z",
                "2026-03-02T17:00:00Z",
            ),
            (
                "{times: [{start_time: '23:00', end_time: '24:00'}]}",
                "2026-03-02T23:59:59Z",
                "2026-03-02T00:00:00Z",
            ),
            (
                "{weekdays: ['Monday:friday', sunday]}",
                "2026-03-02T00:00:00Z",
                "2026-03-07T12:00:00Z",
            ),
            (
                "{days_of_month: ['-3:-1']}",
                "2026-02-26T00:00:00Z",
                "2026-02-25T23:59:59Z",
            ),
            (
                "{days_of_month: ['29:31']}",
                "2024-02-29T00:00:00Z",
                "2026-02-28T00:00:00Z",
            ),
            (
                "{days_of_month: ['27:-1']}",
                "2026-03-31T00:00:00Z",
                "2026-04-26T00:00:00Z",
            ),
            (
                "{months: ['may:8', december]}",
                "2026-08-31T00:00:00Z",
                "2026-09-01T00:00:00Z",
            ),
            (
                "{years: ['2026:2027']}",
                "2027-12-31T23:59:59Z",
                "2028-01-01T00:00:00Z",
            ),
            (
                "{times: [{start_time: '09:00', end_time: '10:00'}], location: Europe/Paris}",
                "2026-07-01T07:30:00Z",
                "2026-07-01T09:30:00Z",
            ),
            (
                "{times: [{start_time: '02:30', end_time: '03:30'}], location: America/New_York}",
                "2026-03-08T07:15:00Z",
                "2026-03-08T06:45:00Z",
            ),
            (
                "{weekdays: [monday], location: Asia/Tokyo}",
                "2026-03-01T15:00:00Z",
                "2026-03-02T15:00:00Z",
            ),
        ] {
            assert!(holds(yaml, inside), "{yaml} at {inside}");
            assert!(!holds(yaml, outside), "{yaml} at {outside}");
        }
    }

    #[test]
    fn times_out_of_range_are_no_panic() {
        for now in [Time::MIN, -1, 0, Time::MAX] {
            assert!(TimeInterval::default().contains(now));
        }
    }
}
