//! The rows of the table: what is asked, and how far the answers of the parties agree by definition.

use super::panels;
use super::request::{Request, Times};

/// A day as Grafana asks for it, for a panel of half a screen: every two minutes.
const DAY: Times = Times::Range {
    count: 720,
    step: 120,
};
/// An hour, every 15 s.
const HOUR: Times = Times::Range {
    count: 241,
    step: 15,
};
/// Twenty minutes, every 15 s: the results of a join are as large as both of its sides.
const MINUTES: Times = Times::Range {
    count: 81,
    step: 15,
};
/// Twenty minutes, every minute.
const EVERY_MINUTE: Times = Times::Range {
    count: 21,
    step: 60,
};

const RATE: &str = "sum by (job) (rate(x[5m]))";
const QUANTILE: &str = "histogram_quantile(0.95, sum by (le, job) (rate(b_bucket[5m])))";

/// How far two answers agree by definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// The same series, times and values.
    Same,
    /// The same values at each time: equal values may come from different series.
    Values,
    /// As many series and points.
    Counts,
    /// As many points.
    Points,
}

/// The limits that are promised for a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// It reads thousands of series, or is a page of panels.
    Large,
    /// One panel.
    Small,
    /// One series, at one time.
    Least,
}

/// A row of the table.
pub(super) struct Question {
    pub(super) name: String,
    /// All of them make one measurement.
    pub(super) requests: Vec<Request>,
    pub(super) size: Size,
    /// The agreement with Prometheus.
    pub(super) prometheus: Agreement,
    /// The agreement with VictoriaMetrics, whose `rate` and subqueries use samples before the window.
    pub(super) victoria: Agreement,
}

impl Question {
    fn new(name: &str, requests: Vec<Request>, size: Size) -> Self {
        let rates = ["rate(", "increase(", "_over_time("];
        let differs = |request: &Request| {
            let expression = request.expression();
            rates.iter().any(|name| expression.contains(name))
        };
        Self {
            name: name.to_owned(),
            size,
            prometheus: Agreement::Same,
            victoria: match requests.iter().any(differs) {
                true => Agreement::Counts,
                false => Agreement::Same,
            },
            requests,
        }
    }

    /// For an expression that chooses series by their values.
    fn choosing(self) -> Self {
        Self {
            prometheus: Agreement::Values,
            victoria: match self.victoria {
                Agreement::Same => Agreement::Values,
                _ => Agreement::Points,
            },
            ..self
        }
    }
}

/// The eight panels of the specification are in its order and words.
pub(super) fn questions() -> anyhow::Result<Vec<Question>> {
    use Size::{Large, Least, Small};
    let one = |name: &str, expression: &str, times: Times, size: Size| {
        Question::new(name, vec![Request::query(expression, times)], size)
    };
    let page = |name: &str, hours: i64| {
        let requests = panels::requests(hours)?;
        anyhow::Ok(Question::new(name, requests, Large))
    };
    Ok(vec![
        one("rate, 5,000 series, at one time", RATE, Times::End, Large),
        one("rate, 5,000 series, 241 steps", RATE, HOUR, Large),
        one(
            "quantile, 10,000 series, at one time",
            QUANTILE,
            Times::End,
            Large,
        ),
        one("quantile, 10,000 series, 241 steps", QUANTILE, HOUR, Large),
        one(
            "regular expression over 10,000 series",
            r#"count by (job) (b_bucket{instance=~"10[.].*:[0-9]*[05]",le!~"0[.]0.*"})"#,
            Times::End,
            Large,
        ),
        one(
            "topk of rates, 5,000 series, 241 steps",
            "topk(10, rate(x[5m]))",
            HOUR,
            Large,
        )
        .choosing(),
        one(
            "group_left, 5,000 series, 81 steps",
            "sum by (job) (x / on (job) group_left () max by (job) (x))",
            MINUTES,
            Large,
        ),
        one(
            "subquery over rates, 5,000 series, 21 steps",
            "max_over_time(sum by (job) (rate(x[5m]))[30m:1m])",
            EVERY_MINUTE,
            Large,
        ),
        Question::new(
            "label_values, 5,000 series",
            vec![Request::label_values("instance", "x")],
            Small,
        ),
        one(
            "panel HTTP p95",
            "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le, route))",
            DAY,
            Large,
        ),
        one(
            "panel Taux d’erreurs",
            "sum(rate(http_requests_errors_total[5m])) by (route)",
            DAY,
            Small,
        ),
        one(
            "panel of jobs by state",
            "sum(queue_jobs_total) by (state)",
            DAY,
            Small,
        ),
        one(
            "panel Jobs en erreur",
            r#"sum(rate(queue_jobs_total{state="failed"}[5m])) by (queue)"#,
            DAY,
            Small,
        ),
        one(
            "panel Durée moyenne",
            "rate(production_tick_duration_seconds_sum[5m]) / rate(production_tick_duration_seconds_count[5m])",
            DAY,
            Small,
        ),
        one(
            "panel p99 tick",
            "histogram_quantile(0.99, sum(rate(production_tick_duration_seconds_bucket[5m])) by (le))",
            DAY,
            Small,
        ),
        one(
            "panel Connexions actives",
            "socket_active_connections",
            DAY,
            Small,
        ),
        one(
            "panel Variations",
            "max_over_time(socket_active_connections[1h])",
            DAY,
            Small,
        ),
        one(
            "one series, at one time",
            "socket_active_connections",
            Times::End,
            Least,
        ),
        one(
            "the number 1, at one time: the cost of HTTP alone",
            "1",
            Times::End,
            Least,
        ),
        page("the page vigie-details, 3 h", 3)?,
        page("the page vigie-details, 24 h", 24)?,
    ])
}
