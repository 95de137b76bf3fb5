//! The live line, computed from two scrapes.

use std::fmt;
use std::time::Duration;

use vigie_testkit::Scrape;

/// The values of one scrape; missing ones are unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    requests: Option<f64>,
    errors: Option<f64>,
    /// Upper bound and cumulative count, ascending.
    buckets: Vec<(f64, f64)>,
    sockets: Option<f64>,
    waiting: Option<f64>,
    active: Option<f64>,
    completed: Option<f64>,
    failed: Option<f64>,
    ticks: Option<f64>,
    tick_seconds: Option<f64>,
}

impl Figures {
    pub(crate) fn of(scrape: &Scrape) -> Self {
        let sum = |name: &str, filter: &[(&str, &str)]| {
            let known = scrape.samples(name, filter).next().is_some();
            known.then(|| scrape.sum(name, filter))
        };
        let jobs = |state: &str| sum("queue_jobs_total", &[("state", state)]);
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for sample in scrape.samples("http_request_duration_seconds_bucket", &[]) {
            let bound = match sample.label("le") {
                Some("+Inf") => f64::INFINITY,
                Some(text) => text.parse().unwrap_or(f64::NAN),
                None => continue,
            };
            match buckets.iter_mut().find(|(known, _)| *known == bound) {
                Some((_, count)) => *count += sample.value,
                None => buckets.push((bound, sample.value)),
            }
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self {
            requests: sum("http_request_duration_seconds_count", &[]),
            errors: sum("http_requests_errors_total", &[]),
            buckets,
            sockets: sum("socket_active_connections", &[]),
            waiting: jobs("waiting"),
            active: jobs("active"),
            completed: jobs("completed"),
            failed: jobs("failed"),
            ticks: sum("production_tick_duration_seconds_count", &[]),
            tick_seconds: sum("production_tick_duration_seconds_sum", &[]),
        }
    }

    /// The changes since an earlier scrape.
    pub(crate) fn since(&self, earlier: &Self, elapsed: Duration) -> Summary {
        let seconds = elapsed.as_secs_f64();
        let rate =
            |now, before| Some(increase(now, before)? / seconds).filter(|rate| rate.is_finite());
        let ticks = increase(self.ticks, earlier.ticks).filter(|ticks| *ticks > 0.0);
        let spent = increase(self.tick_seconds, earlier.tick_seconds);
        Summary {
            requests: rate(self.requests, earlier.requests),
            p95: quantile(0.95, &self.buckets, &earlier.buckets),
            errors: rate(self.errors.or(Some(0.0)), earlier.errors.or(Some(0.0))),
            sockets: self.sockets,
            waiting: self.waiting,
            active: self.active,
            completed: rate(self.completed, earlier.completed),
            failed: rate(self.failed, earlier.failed),
            tick: ticks.and_then(|ticks| Some(spent? / ticks)),
        }
    }
}

/// The increase of a counter; unknown if a value is missing, or after a decrease.
fn increase(now: Option<f64>, before: Option<f64>) -> Option<f64> {
    Some(now? - before?).filter(|growth| *growth >= 0.0)
}

/// Linear interpolation within the bucket, as in Prometheus.
fn quantile(q: f64, now: &[(f64, f64)], before: &[(f64, f64)]) -> Option<f64> {
    let before = |bound: f64| {
        let found = before.iter().find(|(known, _)| *known == bound);
        found.map_or(0.0, |(_, count)| *count)
    };
    let total = now.last().map(|(bound, count)| count - before(*bound))?;
    let rank = q * total;
    let (mut lower, mut below) = (0.0, 0.0);
    for (bound, count) in now {
        let count = count - before(*bound);
        if count >= rank && count > below {
            // The value above the last boundary is unknown.
            let width = if bound.is_finite() {
                bound - lower
            } else {
                0.0
            };
            return Some(lower + width * (rank - below) / (count - below));
        }
        (lower, below) = (*bound, count);
    }
    None
}

/// The live line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    requests: Option<f64>,
    p95: Option<f64>,
    errors: Option<f64>,
    sockets: Option<f64>,
    waiting: Option<f64>,
    active: Option<f64>,
    completed: Option<f64>,
    failed: Option<f64>,
    tick: Option<f64>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>, digits| match value {
            Some(value) => format!("{value:.digits$}"),
            None => "?".into(),
        };
        let time = |value: Option<f64>| match value {
            Some(value) if value >= 1.0 => format!("{value:.2} s"),
            Some(value) => format!("{:.1} ms", value * 1000.0),
            None => "?".into(),
        };
        write!(
            f,
            "{} req/s, p95 {}, {} errors/s | {} sockets | jobs {} waiting, {} active, {}/s completed, {}/s failed | tick {}",
            number(self.requests, 0),
            time(self.p95),
            number(self.errors, 1),
            number(self.sockets, 0),
            number(self.waiting, 0),
            number(self.active, 0),
            number(self.completed, 1),
            number(self.failed, 1),
            time(self.tick),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use vigie_testkit::promtext::Format;

    /// A page with the counts times `n`.
    fn page(n: u32) -> Figures {
        let text = format!(
            r#"# HELP http_request_duration_seconds H.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{{route="/a",le="0.1"}} {ninety}
http_request_duration_seconds_bucket{{route="/a",le="0.2"}} {hundred}
http_request_duration_seconds_bucket{{route="/a",le="+Inf"}} {hundred}
http_request_duration_seconds_sum{{route="/a"}} 1
http_request_duration_seconds_count{{route="/a"}} {hundred}
http_request_duration_seconds_bucket{{route="/b",le="0.1"}} 0
http_request_duration_seconds_bucket{{route="/b",le="0.2"}} 0
http_request_duration_seconds_bucket{{route="/b",le="+Inf"}} 0
http_request_duration_seconds_sum{{route="/b"}} 0
http_request_duration_seconds_count{{route="/b"}} 0
# HELP http_requests_errors_total E.
# TYPE http_requests_errors_total counter
http_requests_errors_total{{route="/a"}} {n}
# HELP socket_active_connections S.
# TYPE socket_active_connections gauge
socket_active_connections 12
# HELP queue_jobs_total Q.
# TYPE queue_jobs_total untyped
queue_jobs_total{{queue="p",state="waiting"}} 3
queue_jobs_total{{queue="m",state="waiting"}} 4
queue_jobs_total{{queue="p",state="active"}} 1
queue_jobs_total{{queue="p",state="completed"}} {hundred}
queue_jobs_total{{queue="p",state="failed"}} {n}
# HELP production_tick_duration_seconds T.
# TYPE production_tick_duration_seconds histogram
production_tick_duration_seconds_bucket{{le="+Inf"}} {n}
production_tick_duration_seconds_sum {seconds}
production_tick_duration_seconds_count {n}
"#,
            ninety = 90 * n,
            hundred = 100 * n,
            seconds = f64::from(n) * 0.025,
        );
        Figures::of(&Scrape::parse(&text, Format::Text).unwrap())
    }

    #[test]
    fn the_line_is_computed_from_the_differences() {
        let summary = page(3).since(&page(1), Duration::from_secs(2));
        assert_eq!(
            summary.to_string(),
            "100 req/s, p95 150.0 ms, 1.0 errors/s | 12 sockets | jobs 7 waiting, 1 active, \
             100.0/s completed, 1.0/s failed | tick 25.0 ms"
        );
    }

    #[test]
    fn unknown_values_are_shown() {
        let summary = Figures::default().since(&Figures::default(), Duration::from_secs(1));
        assert_eq!(
            summary.to_string(),
            "? req/s, p95 ?, 0.0 errors/s | ? sockets | jobs ? waiting, ? active, ?/s completed, ?/s failed | tick ?"
        );
        let fell = page(1).since(&page(3), Duration::from_secs(1));
        assert_eq!((fell.requests, fell.p95, fell.tick), (None, None, None));
        let still = page(1).since(&page(1), Duration::from_secs(1));
        assert_eq!(
            (still.requests, still.p95, still.tick),
            (Some(0.0), None, None)
        );
        let at_once = page(2).since(&page(1), Duration::ZERO);
        assert_eq!(at_once.requests, None);
    }

    #[test]
    fn a_quantile_above_the_last_boundary_is_that_boundary() {
        let now = [(0.1, 1.0), (f64::INFINITY, 100.0)];
        assert_eq!(quantile(0.95, &now, &[]), Some(0.1));
        assert_eq!(quantile(0.95, &[], &[]), None);
    }
}
