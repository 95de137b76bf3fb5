//! Times and their text form.

use std::time::Duration;

use jiff::Timestamp;

/// Milliseconds since the Unix epoch.
pub type Time = i64;

/// The first time that RFC 3339 can express: the beginning of the year 0.
const FIRST: Time = -62_167_219_200_000;

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> Time {
    Time::try_from(duration.as_millis()).unwrap_or(Time::MAX)
}

/// A time as a timestamp. A time outside of the years that RFC 3339 can express becomes the first or the last one.
pub(crate) fn timestamp(time: Time) -> Timestamp {
    // `jiff` ends before the year 10000 does.
    Timestamp::from_millisecond(time.max(FIRST)).unwrap_or(Timestamp::MAX)
}

/// A time in UTC with milliseconds, in the form of RFC 3339.
pub(crate) fn rfc3339(time: Time) -> String {
    format!("{:.3}", timestamp(time))
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn times_have_milliseconds_and_never_become_another_one() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_700_000_000_050), "2023-11-14T22:13:20.050Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-30T22:00:00.999Z");
        assert_eq!(rfc3339(i64::MIN), "0000-01-01T00:00:00.000Z");
    }
}
