//! The times of a query, from the flags `--at`, `--last`, `--from`, `--to` and `--step`.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use vigie_promql::Expr;

use crate::{Query, Terminal, plot};

/// An instant query or a range query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Times {
    /// At one time, or at the server's current time.
    At(Option<Timestamp>),
    Range(Range),
}

/// From `start` to `end`, every `step`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) step: SignedDuration,
}

impl Times {
    pub(crate) fn of(query: &Query, now: Timestamp, terminal: &Terminal) -> Result<Self, String> {
        let read = |flag: &str, text: &Option<String>| -> Result<Option<Timestamp>, String> {
            let Some(text) = text else { return Ok(None) };
            let time = parse_time(text, now, &terminal.zone);
            time.map(Some).ok_or_else(|| {
                format!("{flag} {text:?}: expected now, -15m, 14:30, '2026-11-24 14:30', RFC 3339 or Unix seconds")
            })
        };
        let length =
            |flag: &str, text: &Option<String>| -> Result<Option<SignedDuration>, String> {
                let Some(text) = text else { return Ok(None) };
                let length = parse_duration(text).filter(|length| length.is_positive());
                length.map(Some).ok_or_else(|| {
                    format!("{flag} {text:?}: expected a duration, like 30s, 5m, 1h30m or 1d")
                })
            };
        let at = read("--at", &query.at)?;
        let last = length("--last", &query.last)?;
        let from = read("--from", &query.from)?;
        let to = read("--to", &query.to)?;
        let step = length("--step", &query.step)?;
        let end = to.unwrap_or(now);
        let start = match (last, from) {
            (Some(last), _) => {
                let start = end.checked_sub(last);
                start.map_err(|_| "--last reaches back too far".to_owned())?
            }
            (None, Some(from)) => from,
            (None, None) if to.is_some() || step.is_some() => {
                return Err("the range has no start: add --from or --last".to_owned());
            }
            (None, None) => return Ok(Self::At(at)),
        };
        if start >= end {
            return Err("the range ends before it starts".to_owned());
        }
        let step = step.unwrap_or_else(|| fitting_step(end.duration_since(start), terminal.width));
        Ok(Self::Range(Range { start, end, step }))
    }
}

/// The smallest round step whose points fit into the plot.
fn fitting_step(span: SignedDuration, width: usize) -> SignedDuration {
    const STEPS: [i64; 17] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
    ];
    let points = plot::points(width) as i64;
    let least = span.as_secs() / points.max(1);
    let step = STEPS.into_iter().find(|step| *step >= least);
    SignedDuration::from_secs(step.unwrap_or_else(|| (least / 86_400 + 1) * 86_400))
}

/// Parses a time as the flags accept it.
fn parse_time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if text == "now" {
        return Some(now);
    }
    if let Some(ago) = text.strip_prefix('-').and_then(parse_duration) {
        return now.checked_sub(ago).ok();
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let seconds = SignedDuration::try_from_secs_f64(seconds).ok()?;
        return Timestamp::from_duration(seconds).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil = text.parse::<DateTime>().ok().or_else(|| {
        let time: Time = text.parse().ok()?;
        Some(now.to_zoned(zone.clone()).date().to_datetime(time))
    })?;
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Parses a PromQL duration or a number of seconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let seconds = match vigie_promql::parse(text).ok()? {
        Expr::Number(number) => number.value,
        _ => return None,
    };
    SignedDuration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T14:00:00Z".parse().unwrap()
    }

    #[test]
    fn times() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, expected) in [
            ("now", "2026-11-24T14:00:00Z"),
            ("-15m", "2026-11-24T13:45:00Z"),
            ("-1d", "2026-11-23T14:00:00Z"),
            ("14:30", "2026-11-24T13:30:00Z"),
            ("2026-11-24 14:30", "2026-11-24T13:30:00Z"),
            ("2026-11-24", "2026-11-23T23:00:00Z"),
            ("2026-11-24T14:30:00+02:00", "2026-11-24T12:30:00Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000.5", "2023-11-14T22:13:20.5Z"),
        ] {
            let time = parse_time(text, now(), &zone).unwrap();
            assert_eq!(time.to_string(), expected, "{text}");
        }
        for wrong in [
            "",
            "soon",
            "-",
            "-x",
            "25:00",
            "2026-13-01",
            "1e300",
            "NaN",
            "5m",
        ] {
            assert_eq!(parse_time(wrong, now(), &zone), None, "{wrong}");
        }
    }

    #[test]
    fn steps_fill_the_width() {
        for (hours, width, step) in [
            (1, 80, 30),
            (1, 200, 10),
            (24, 80, 600),
            (24 * 365, 80, 3 * 86_400),
        ] {
            let span = SignedDuration::from_hours(hours);
            let found = fitting_step(span, width);
            assert_eq!(found.as_secs(), step, "{hours} h in {width} columns");
            assert!(span.as_secs() / found.as_secs() <= plot::points(width) as i64 + 1);
        }
        assert_eq!(fitting_step(SignedDuration::from_secs(3), 80).as_secs(), 1);
    }
}
