//! Go's durations (`time.ParseDuration`), which a few fields of receivers have: `1.5h`, `1h30m`, `300ms`.

use std::time::Duration;

const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// The duration that `text` means, if it is one and not negative.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() || seconds == 0.0 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &tail[..end])?;
        seconds += number * unit;
        rest = &tail[end..];
        if rest.is_empty() {
            break;
        }
    }
    // 64 bits of nanoseconds.
    (seconds < 9_223_372_036.0).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("10s", Some(10_000)),
            ("1.5h", Some(5_400_000)),
            ("1h30m", Some(5_400_000)),
            ("30m1h", Some(5_400_000)),
            ("300ms", Some(300)),
            ("+5m", Some(300_000)),
            ("", None),
            ("5", None),
            ("-5m", None),
            ("1d", None),
            ("s", None),
            ("1..5s", None),
            ("99999999999h", None),
        ] {
            let parsed = parse(text).map(|duration| duration.as_millis());
            assert_eq!(parsed, millis, "{text:?}");
        }
    }
}
