//! Finds `rate()`, `irate()` and `increase()` over gauges. They treat each decrease as a counter reset, so a gauge
//! that falls by one looks like an increase by its whole value.

use vigie_promql::syntax::{Call, Expr, Function, Selector, Visitor};

use super::known::{Kind, Known, Metric, Series};
use crate::finding::Finding;
use crate::lint::Lint;
use crate::suggest::listed;

pub(super) struct Counters<'k> {
    known: &'k Known,
    pub(super) findings: Vec<Finding>,
}

impl<'k> Counters<'k> {
    pub(super) fn new(known: &'k Known) -> Self {
        Self {
            known,
            findings: Vec::new(),
        }
    }

    fn selector(&mut self, function: Function, selector: &Selector) {
        let Some(name) = selector.metric() else {
            return;
        };
        let gauge = "a gauge: each decrease counts as a counter reset";
        let (why, help) = match self.known.selected(selector) {
            None | Some(Series::Bucket(..) | Series::Foreign) => return,
            Some(Series::Of(metric)) => match metric.kind {
                Kind::Counter | Kind::Histogram => return,
                Kind::Gauge => (gauge.to_owned(), levels_instead()),
                Kind::Untyped => match levels(selector, metric) {
                    Some(found) => found,
                    None => return,
                },
            },
            Some(Series::Recorded(_)) => (
                "a recording rule: counter resets are no longer visible in it".to_owned(),
                format!(
                    "apply {}() to the counter first, then aggregate",
                    function.name()
                ),
            ),
            Some(Series::Prometheus) => (gauge.to_owned(), levels_instead()),
        };
        let title = format!(
            "{}() over `{name}`, which is not a counter",
            function.name()
        );
        let finding = Finding::new(Lint::NotACounter, selector.span.range(), title, why);
        self.findings.push(finding.help(help));
    }
}

fn levels_instead() -> String {
    "for a gauge use delta(), deriv() or max_over_time()".to_owned()
}

/// Why not all selected series of a metric with gauges and counters are counters, and the remedy.
fn levels(selector: &Selector, metric: &Metric) -> Option<(String, String)> {
    let states = metric.states.as_ref()?;
    let on_label = |value: &&String| {
        let mut matchers = selector.matchers.iter().map(|matcher| &matcher.matcher);
        matchers.all(|matcher| matcher.name() != states.label || matcher.matches(value))
    };
    let selected: Vec<_> = states.levels.iter().filter(on_label).collect();
    if selected.is_empty() {
        return None;
    }
    let label = &states.label;
    let levels = listed(selected.iter().map(|value| value.as_str()), "and");
    let plural = if selected.len() == 1 {
        "is a gauge"
    } else {
        "are gauges"
    };
    let counts: Vec<_> = states
        .counts
        .iter()
        .map(|value| format!("{label}={value:?}"))
        .collect();
    Some((
        format!("{levels} {plural}: each decrease counts as a counter reset"),
        format!(
            "counters are {}",
            listed(counts.iter().map(String::as_str), "and")
        ),
    ))
}

impl<'a> Visitor<'a> for Counters<'_> {
    fn call(&mut self, call: &'a Call, _ancestors: &[&'a Expr]) {
        let function = call.function;
        if !matches!(
            function,
            Function::Rate | Function::Irate | Function::Increase
        ) {
            return;
        }
        match call.args.first().map(Expr::unwrap_parens) {
            Some(Expr::Range(range)) => self.selector(function, &range.selector),
            Some(Expr::Subquery(subquery)) => match subquery.expr.unwrap_parens() {
                Expr::Selector(selector) => self.selector(function, selector),
                inside => {
                    let title = format!("{}() over computed values", function.name());
                    let why = "counter resets are not visible in them";
                    let help = format!("apply {}() to the counters first", function.name());
                    let finding =
                        Finding::new(Lint::NotACounter, inside.span().range(), title, why);
                    self.findings.push(finding.help(help));
                }
            },
            _ => {}
        }
    }
}
