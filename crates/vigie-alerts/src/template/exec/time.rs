//! Times and durations as Go's `time` formats them.

use jiff::Timestamp;

use super::layout;
use super::value::Value;

/// `time.Time.String()`, or `time.Duration.String()`.
pub(crate) fn display(value: &Value) -> String {
    match value {
        Value::Time(millis) => time(*millis),
        Value::Duration(nanos) | Value::Span(nanos) => duration(*nanos),
        Value::Moment(time) => layout::format(time, "2006-01-02 15:04:05.999999999 -0700 MST"),
        _ => String::new(),
    }
}

/// `2006-01-02 15:04:05.999999999 -0700 MST` in UTC, of milliseconds since the Unix epoch.
pub(crate) fn time(millis: i64) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(time) => time.strftime("%F %T%.f +0000 UTC").to_string(),
        Err(_) => format!("{millis} ms"),
    }
}

/// `1h2m3.5s`, or the largest unit below a second: `1.5ms`.
pub(crate) fn duration(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    if size == 0 {
        return "0s".to_owned();
    }
    if size < 1_000_000_000 {
        let (unit, length) = match size {
            0..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            _ => ("ms", 1_000_000),
        };
        return format!("{sign}{}{unit}", decimal(size, length));
    }
    let minutes = size / 60_000_000_000;
    let seconds = format!("{}s", decimal(size % 60_000_000_000, 1_000_000_000));
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
    }
}

/// `size` in units of `length`, without trailing zeros.
fn decimal(size: u64, length: u64) -> String {
    let (whole, rest) = (size / length, size % length);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = length.ilog10() as usize;
    format!("{whole}.{rest:0digits$}")
        .trim_end_matches('0')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (millis, expected) in [
            (0, "1970-01-01 00:00:00 +0000 UTC"),
            (1_643_114_203_000, "2022-01-25 12:36:43 +0000 UTC"),
            (1_709_164_800_120, "2024-02-29 00:00:00.12 +0000 UTC"),
            (-1, "1969-12-31 23:59:59.999 +0000 UTC"),
            (-62_135_596_800_000, "0001-01-01 00:00:00 +0000 UTC"),
        ] {
            assert_eq!(time(millis), expected);
        }
    }

    #[test]
    fn durations() {
        for (nanos, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (1_500_000, "1.5ms"),
            (3_500_000_000, "3.5s"),
            (90_000_000_000, "1m30s"),
            (-3_600_000_000_000, "-1h0m0s"),
        ] {
            assert_eq!(duration(nanos), expected);
        }
    }
}
