//! Parses times and durations of parameters.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use vigie_promql::Expr;

/// The range of times, in milliseconds since the epoch: 2^53, in the year 287,396. It includes milliseconds that were
/// mistaken for seconds, and sums of a time and any duration.
pub(crate) const MIN: i64 = -MAX;
pub(crate) const MAX: i64 = 1 << 53;

/// The values that Prometheus' clients send for "from the beginning" and "to the end".
const OPEN: [(&str, i64); 2] = [
    ("-292273086-05-16T16:47:06Z", MIN),
    ("292277025-08-18T07:12:54.999999999Z", MAX),
];

/// Parses Unix seconds with any fraction, or RFC 3339, to milliseconds since the epoch.
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

/// Parses the syntax of Go's `time.RFC3339Nano`: years from 0 to 9999, hours of one digit, fractions after a comma,
/// offsets up to `24:60`. `jiff::Timestamp` ends a day earlier and accepts other forms.
fn rfc3339(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = (text.get(..10)?, text.get(10..)?.strip_prefix('T')?);
    let separated = date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-';
    let (year, month) = (digits::<i16>(&date[..4])?, digits(&date[5..7])?);
    let date = Date::new(year, month, digits(&date[8..])?);
    let (hour, rest) = rest.split_once(':')?;
    if !separated || hour.len() > 2 {
        return None;
    }
    let (minute, rest) = (rest.get(..2)?, rest.get(2..)?.strip_prefix(':')?);
    let (second, rest) = (rest.get(..2)?, rest.get(2..)?);
    if digits::<i8>(second)? > 59 {
        return None;
    }
    let time = Time::new(digits(hour)?, digits(minute)?, digits(second)?, 0);
    let time = date.ok()?.to_datetime(time.ok()?);
    let (millis, zone) = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let end = fraction.find(|c: char| !c.is_ascii_digit())?;
            let (fraction, zone) = fraction.split_at(end);
            if fraction.is_empty() {
                return None;
            }
            (digits::<i64>(&format!("{fraction:0<3}")[..3])?, zone)
        }
        None => (0, rest),
    };
    let epoch: DateTime = Date::constant(1970, 1, 1).at(0, 0, 0, 0);
    let seconds = time.duration_since(epoch).as_secs() - offset(zone)?;
    Some(seconds * 1_000 + millis)
}

/// The offset of `Z` or `+hh:mm` from UTC in seconds.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let ahead = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (digits::<i64>(hours)?, digits::<i64>(minutes)?);
    (hours <= 24 && minutes <= 60).then_some(ahead * (hours * 3_600 + minutes * 60))
}

/// A number of digits only: `parse` alone would accept signs.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let only = text.bytes().all(|byte| byte.is_ascii_digit());
    only.then(|| text.parse().ok()).flatten()
}

/// Parses a number of seconds, or a PromQL duration (`1h30m`). Negative numbers are accepted, too.
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

/// As [`millis`]; `None` if it is not positive.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let millis = millis(text)?;
    Ok(Duration::from_secs_f64((millis / 1000.0).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prometheus 2.42 and 3.5 accept and refuse the same.
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
            ("9999-12-31T23:59:59Z", Some(253_402_300_799_000)),
            ("9999-12-31T23:59:59.999999999Z", Some(253_402_300_799_999)),
            ("9999-12-31T23:59:59-24:00", Some(253_402_387_199_000)),
            ("0000-01-01T00:00:00Z", Some(-62_167_219_200_000)),
            ("0001-01-01T00:00:00+23:59", Some(-62_135_683_140_000)),
            ("1969-12-31T23:59:58.5Z", Some(-1_500)),
            ("1970-01-01T0:00:01Z", Some(1_000)),
            ("1970-01-01T00:00:01,5Z", Some(1_500)),
            ("1970-01-01T00:00:01+24:60", Some(-89_999_000)),
            ("1970-01-01T00:00:01-00:00", Some(1_000)),
            ("1970-01-01T00:00:01.0000000001Z", Some(1_000)),
            ("+5", Some(5_000)),
            // Milliseconds mistaken for seconds.
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
            ("1970-01-01T00:00:60Z", None),
            ("1970-01-01T00:00:01.Z", None),
            ("1970-01-01T00:00:01+25:00", None),
            ("1970-01-01T00:00:+1Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("1970-1-01T00:00:01Z", None),
            ("-001-01-01T00:00:00Z", None),
            ("-0001-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:01+0100", None),
            ("1970-01-01T00:00:01Z[UTC]", None),
            ("1970-01-01T00:00+01:00", None),
        ] {
            assert_eq!(time(text).ok(), expected, "{text}");
        }
        // In Prometheus these overflow to other times.
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
        fn parsing_arbitrary_texts_does_not_panic(text in "(?s)(.{0,30}|[0-9TZ:+.e-]{0,30})") {
            let _ = (time(&text), duration(&text));
        }
    }
}
