//! Prometheus' durations: `1h30m`, units from large to small, each at most once (`model.ParseDuration`).

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Parses a duration; `None` if it is invalid or exceeds 292 years (64 bits of nanoseconds).
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        let letters = tail.find(|c: char| c.is_ascii_digit());
        let unit = &tail[..letters.unwrap_or(tail.len())];
        // Continuing after the last unit enforces the order and refuses duplicates.
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.checked_mul(*length)?)?;
        rest = &tail[unit.len()..];
    }
    let longest = (i64::MAX / 1_000_000).unsigned_abs();
    (!text.is_empty() && millis <= longest).then(|| Duration::from_millis(millis))
}

/// Whether `text` is the name of a unit.
pub(crate) fn is_unit(text: &str) -> bool {
    UNITS.iter().any(|(name, _)| *name == text)
}

/// Whether the units in `text` go from large to small, each at most once.
pub(crate) fn is_in_order(text: &str) -> bool {
    let mut units = UNITS.iter();
    let mut named = text
        .split(|c: char| c.is_ascii_digit())
        .filter(|unit| !unit.is_empty());
    named.all(|unit| units.any(|(name, _)| *name == unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("0", Some(0.0)),
            ("0s", Some(0.0)),
            ("5m", Some(300.0)),
            ("1h30m", Some(5400.0)),
            ("1y2w3d4h5m6s7ms", Some(33_019_506.007)),
            ("250ms", Some(0.25)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5min", None),
            ("5m5m", None),
            ("5m1h", None),
            ("1.5h", None),
            ("-5m", None),
            (" 5m", None),
            ("5M", None),
            ("99999999999999999999s", None),
            ("300y", None),
            ("9999999999y", None),
        ] {
            let parsed = parse(text).map(|duration| duration.as_secs_f64());
            assert_eq!(parsed, seconds, "{text:?}");
        }
    }
}
