//! Which sources a selector depends on: those of its metric, and for the result of a recording rule those of the
//! metrics in its expression.

use std::collections::{BTreeSet, HashMap};

use vigie_alerts::engine::metrics;
use vigie_alerts::{RuleFile, RuleKind};
use vigie_promql::{METRIC_NAME, MatchOp, Matcher};

use crate::catalogue;

/// The name of a source, as in the label `source` of `vigie_source_up`.
pub(super) type Source = &'static str;

/// The sources of every metric that rules record.
#[derive(Debug, Default)]
pub(super) struct Recorded(HashMap<String, BTreeSet<Source>>);

impl Recorded {
    /// The sources of the results of all recording rules, which may depend on each other.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = &'a RuleFile>) -> Self {
        let rules: Vec<_> = files
            .into_iter()
            .flat_map(RuleFile::rules)
            .filter(|rule| matches!(rule.kind, RuleKind::Record { .. }))
            .map(|rule| (rule.name().to_string(), metrics(&rule.expr.tree)))
            .collect();
        let mut recorded = Self::default();
        for (name, _) in &rules {
            recorded.0.entry(name.clone()).or_default();
        }
        // Each pass passes sources on by one rule; they can only grow, and there are few.
        loop {
            let mut grew = false;
            for (name, metrics) in &rules {
                let found: BTreeSet<_> = metrics
                    .iter()
                    .flat_map(|metric| recorded.sources(metric.as_deref()))
                    .collect();
                let known = recorded.0.entry(name.clone()).or_default();
                let before = known.len();
                known.extend(found);
                grew |= known.len() > before;
            }
            if !grew {
                return recorded;
            }
        }
    }

    /// The sources that the selected series depend on.
    pub(super) fn selected(&self, matchers: &[Matcher]) -> BTreeSet<Source> {
        let name = matchers
            .iter()
            .find(|matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal);
        self.sources(name.map(Matcher::value))
    }

    /// The sources of a metric. A selector that does not name its metric may select any.
    fn sources(&self, metric: Option<&str>) -> BTreeSet<Source> {
        let Some(metric) = metric else {
            return catalogue::SOURCES.into();
        };
        let own = catalogue::sources(metric).unwrap_or_default();
        let recorded = self.0.get(metric).into_iter().flatten();
        own.iter().chain(recorded).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sources(recorded: &Recorded, selector: &str) -> Vec<Source> {
        let vigie_promql::Expr::Selector(selector) = vigie_promql::parse(selector).unwrap() else {
            panic!("{selector}");
        };
        let matchers: Vec<_> = selector.all_matchers().collect();
        recorded.selected(&matchers).into_iter().collect()
    }

    #[test]
    fn recording_rules_inherit_from_their_expressions() {
        let loaded = vigie_alerts::load(
            "
groups:
  - name: g
    rules:
      - {record: 'c:c', expr: 'b:b + up'}
      - {record: 'b:b', expr: 'a:a / 2'}
      - {record: 'a:a', expr: 'sum(bullmq_workers) > rate(bullmq_jobs_added_total[5m])'}
      - {record: 'd:d', expr: 'sum(rate(http_request_duration_seconds_count[5m]))'}
      - {record: 'e:e', expr: 'e:e + vector(1)'}
",
        );
        let recorded = Recorded::of([&loaded.rules]);
        for (selector, expected) in [
            ("bullmq_workers", &["redis"][..]),
            ("production_tick_duration_seconds_bucket", &["events"]),
            ("queue_jobs_total{state='waiting'}", &["events", "redis"]),
            ("a:a", &["events", "redis"]),
            ("c:c", &["events", "redis"]),
            ("d:d", &["capture"]),
            ("e:e", &[]),
            ("up", &[]),
            ("socket_active_connections", &["capture"]),
            (
                "{state='waiting'}",
                &["app", "capture", "database", "events", "redis"],
            ),
        ] {
            assert_eq!(sources(&recorded, selector), expected, "{selector}");
        }
    }
}
