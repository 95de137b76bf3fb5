//! Prometheus' durations: `1h30m`, units from large to small, each at most once (`model.ParseDuration`).

use std::time::Duration;

use vigie_promql::syntax::DURATION_UNITS;

/// Parses a duration; `None` if it is invalid or exceeds 292 years (64 bits of nanoseconds).
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    match text {
        "" => None,
        "0" => Some(Duration::ZERO),
        text => {
            let millis = vigie_promql::syntax::parse_duration(text).ok()?;
            Some(Duration::from_millis(millis.unsigned_abs()))
        }
    }
}

/// Whether `text` is the name of a unit.
pub(crate) fn is_unit(text: &str) -> bool {
    DURATION_UNITS.iter().any(|(name, _)| *name == text)
}

/// Whether the units in `text` go from large to small, each at most once.
pub(crate) fn is_in_order(text: &str) -> bool {
    let mut units = DURATION_UNITS.iter();
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
            ("9223372036854ms", Some(9_223_372_036.854)),
            ("9223372036855ms", None),
            ("9999999999y", None),
        ] {
            let parsed = parse(text).map(|duration| duration.as_secs_f64());
            assert_eq!(parsed, seconds, "{text:?}");
        }
    }
}
