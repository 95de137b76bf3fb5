//! Times and durations as they are given in parameters.

use std::time::Duration;

use jiff::Timestamp;
use vigie_promql::Expr;

/// The earliest and the latest time that is told apart, in milliseconds since the epoch: 2^53, in the year 287,396. Times
/// in milliseconds that somebody takes for seconds fit; so do sums of a time and any duration.
pub(crate) const MIN: i64 = -MAX;
pub(crate) const MAX: i64 = 1 << 53;

/// What Prometheus' own clients send for "from the beginning" and "to the end".
const OPEN: [(&str, i64); 2] = [
    ("-292273086-05-16T16:47:06Z", MIN),
    ("292277025-08-18T07:12:54.999999999Z", MAX),
];

/// Unix seconds with any fraction, or RFC 3339, in milliseconds since the epoch.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    seconds(text)
        .or_else(|| rfc3339(text))
        .or_else(|| {
            OPEN.iter()
                .find(|(open, _)| *open == text)
                .map(|open| open.1)
        })
        .ok_or_else(|| format!("cannot parse {text:?} to a valid timestamp"))
}

fn seconds(text: &str) -> Option<i64> {
    let millis = (text.parse::<f64>().ok()? * 1000.0).round();
    (MIN as f64..=MAX as f64)
        .contains(&millis)
        .then_some(millis as i64)
}

/// Only with seconds and a zone, as the RFC has it: jiff reads more.
fn rfc3339(text: &str) -> Option<i64> {
    let rest = text.get(19..)?;
    let shaped = text.as_bytes()[10] == b'T' && text.as_bytes()[16] == b':';
    let zone = rest.find(['Z', '+', '-'])?;
    let zone = &rest[zone..];
    let zoned = zone == "Z" || (zone.len() == 6 && zone.as_bytes()[3] == b':');
    if !shaped || !zoned || text.contains('[') {
        return None;
    }
    let time: Timestamp = text.parse().ok()?;
    Some(time.as_millisecond())
}

/// A number of seconds, or a duration as PromQL writes it (`1h30m`). Negative numbers are read, too.
pub(crate) fn millis(text: &str) -> Result<f64, String> {
    const LONGEST: f64 = i64::MAX as f64 / 1e6;
    let unreadable = || format!("cannot parse {text:?} to a valid duration");
    let millis = match text.parse::<f64>() {
        Ok(seconds) => seconds * 1000.0,
        Err(_) => match vigie_promql::parse(text) {
            Ok(Expr::Number(number)) if number.duration && number.value >= 0.0 => {
                number.value * 1000.0
            }
            _ => return Err(unreadable()),
        },
    };
    if millis.is_nan() {
        return Err(unreadable());
    }
    if millis.abs() > LONGEST {
        return Err(format!("{}. It overflows int64", unreadable()));
    }
    Ok(millis)
}

/// As [`millis`]; what is not more than nothing is nothing.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let millis = millis(text)?;
    Ok(Duration::from_secs_f64((millis / 1000.0).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each accepted or refused by Prometheus 2.42, too.
    #[test]
    fn times() {
        for (text, expected) in [
            ("0", Some(0)),
            ("4", Some(4_000)),
            ("-1.5", Some(-1_500)),
            (".5", Some(500)),
            ("5.", Some(5_000)),
            ("1e3", Some(1_000_000)),
            ("1.0009", Some(1_001)),
            ("1.0015", Some(1_002)),
            ("1435781451.781", Some(1_435_781_451_781)),
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("1970-01-01T00:00:01.123456789Z", Some(1_123)),
            ("1970-01-01T00:00:01.5-01:00", Some(3_601_500)),
            ("2023-11-14T22:13:20.5+01:00", Some(1_699_996_400_500)),
            ("-292273086-05-16T16:47:06Z", Some(MIN)),
            ("292277025-08-18T07:12:54.999999999Z", Some(MAX)),
            // Milliseconds taken for seconds.
            ("1700000000000", Some(1_700_000_000_000_000)),
            ("", None),
            ("abc", None),
            ("0x10", None),
            (" 1", None),
            ("1 ", None),
            ("1e400", None),
            ("1970-01-01", None),
            ("1970-01-01T00:00:01", None),
            ("1970-01-01t00:00:01z", None),
            ("1970-01-01T24:00:00Z", None),
            ("1970-01-01T00:00:01+0100", None),
            ("1970-01-01T00:00:01Z[UTC]", None),
            ("1970-01-01T00:00+01:00", None),
        ] {
            assert_eq!(time(text).ok(), expected, "{text}");
        }
        // There these are other times, after an overflow.
        for text in ["NaN", "Inf", "-Inf", "1e100", "9007199254741"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("1", Some(1_000.0)),
            ("0.5", Some(500.0)),
            ("1e1", Some(10_000.0)),
            ("-1", Some(-1_000.0)),
            ("1m", Some(60_000.0)),
            ("1h30m", Some(5_400_000.0)),
            ("1ms", Some(1.0)),
            ("0s", Some(0.0)),
            ("9223372036", Some(9_223_372_036_000.0)),
            ("", None),
            ("x", None),
            ("0x1", None),
            ("-1m", None),
            ("1h 1m", None),
            ("5m+1m", None),
            ("300y", None),
            ("9223372037", None),
            ("NaN", None),
            ("Inf", None),
        ] {
            assert_eq!(millis(text).ok(), expected, "{text}");
        }
        assert_eq!(duration("-1").ok(), Some(Duration::ZERO));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s)(.{0,30}|[0-9TZ:+.e-]{0,30})") {
            let _ = (time(&text), duration(&text));
        }
    }
}
