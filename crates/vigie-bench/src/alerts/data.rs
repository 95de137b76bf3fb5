//! The rules and the samples of all parties, made up and the same in every run.
//!
//! The parties evaluate at the current time, which they write, but must have the same samples. So the samples are made in advance,
//! for times around an hour ago, and each selector has `offset 1h`. The cost of a scrape is not part of the comparison.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// Seconds between scrapes, and between evaluations.
pub(super) const EVERY: i64 = 15;
/// The offset of each selector, in seconds.
pub(super) const OFFSET: i64 = 3_600;
/// The samples before the first evaluation: the range of the rules, and a scrape.
const BEFORE: i64 = 5 * 60 + EVERY;
/// The series that a rule selects.
pub(super) const INSTANCES: usize = 10;
/// The rules of a group.
pub(super) const PER_GROUP: usize = 100;
/// The rules of a file, which Vigie limits to 1 MiB.
pub(super) const PER_FILE: usize = 2_000;
/// The metrics.
const METRICS: usize = 20;
/// One of so many rules fires.
const FIRES: usize = 100;
/// One of so many rules is a recording rule.
const RECORDS: usize = 10;

/// As many rules, with ten series each.
pub(super) struct Data {
    pub(super) rules: usize,
    /// The time of the first sample, in Unix seconds.
    start: i64,
    /// The number of scrapes.
    pub(super) scrapes: usize,
}

/// The selection of a rule: one service of one metric.
struct Selected {
    metric: usize,
    service: usize,
}

impl Selected {
    fn of(rule: usize) -> Self {
        Self {
            metric: rule % METRICS,
            service: rule / METRICS,
        }
    }

    /// Half of the metrics are counters.
    fn is_counter(&self) -> bool {
        self.metric.is_multiple_of(2)
    }

    fn name(&self) -> String {
        let suffix = if self.is_counter() { "_total" } else { "" };
        format!("bench_{}{suffix}", self.metric)
    }
}

impl Data {
    /// Samples for evaluations from now (Unix seconds) until `lasting` later.
    pub(super) fn new(rules: usize, now: i64, lasting: Duration) -> Self {
        let start = (now - OFFSET - BEFORE) / EVERY * EVERY;
        let lasting = BEFORE + i64::try_from(lasting.as_secs()).unwrap_or(i64::MAX);
        Self {
            rules,
            start,
            scrapes: usize::try_from(lasting / EVERY).unwrap_or(0),
        }
    }

    pub(super) fn series(&self) -> usize {
        self.rules * INSTANCES
    }

    /// The labels of a series, sorted by name.
    pub(super) fn labels(&self, series: usize) -> [(&'static str, String); 4] {
        let selected = Selected::of(series / INSTANCES);
        [
            ("__name__", selected.name()),
            ("instance", format!("10.0.0.{}:9000", series % INSTANCES)),
            ("job", "backend".to_owned()),
            ("service", format!("service-{}", selected.service)),
        ]
    }

    /// The time of a scrape, in Unix seconds.
    pub(super) fn time(&self, scrape: usize) -> i64 {
        self.start + i64::try_from(scrape).unwrap_or(0) * EVERY
    }

    /// A counter grows by 1 to 7 a second; a level moves between 1 and 17.
    pub(super) fn value(series: usize, scrape: usize) -> f64 {
        let selected = Selected::of(series / INSTANCES);
        let value = match selected.is_counter() {
            true => 1_000 + (series % 7 + 1) * scrape * 15,
            false => 1 + (series + scrape * 5) % 17,
        };
        value as f64
    }

    /// The rule files. Each group is evaluated every 15 s.
    pub(super) fn rule_files(&self) -> Vec<String> {
        let firsts = (0..self.rules).step_by(PER_FILE);
        firsts
            .map(|first| self.rule_file(first..self.rules.min(first + PER_FILE)))
            .collect()
    }

    fn rule_file(&self, rules: Range<usize>) -> String {
        let mut text = "groups:\n".to_owned();
        for rule in rules {
            if rule.is_multiple_of(PER_GROUP) {
                let group = rule / PER_GROUP;
                // Writing to a string cannot fail.
                let _ = write!(
                    text,
                    "- name: group-{group}\n  interval: {EVERY}s\n  rules:\n"
                );
            }
            self.rule(rule, &mut text);
        }
        text
    }

    fn rule(&self, rule: usize, text: &mut String) {
        let selected = Selected::of(rule);
        let (name, service) = (selected.name(), selected.service);
        let selector = format!("{name}{{service=\"service-{service}\"}}");
        let expr = match selected.is_counter() {
            true => format!("sum by (service) (rate({selector}[5m] offset 1h))"),
            false => format!("max by (service) ({selector} offset 1h)"),
        };
        let _ = match rule % RECORDS {
            1 => write!(text, "  - record: bench:{rule}\n    expr: {expr}\n"),
            _ => write!(
                text,
                "  - alert: Bench{rule}\n    expr: {expr} > {}\n    for: 1m\n    labels: {{severity: warning}}\n    \
                 annotations: {{summary: '{{{{ $labels.service }}}} has {{{{ $value | humanize }}}}'}}\n",
                if self.fires(rule) { 0 } else { 1_000_000 }
            ),
        };
    }

    fn fires(&self, rule: usize) -> bool {
        rule.is_multiple_of(FIRES)
    }

    /// The number of alerts that are pending or firing at each evaluation.
    pub(super) fn alerts(&self) -> usize {
        (0..self.rules).filter(|rule| self.fires(*rule)).count()
    }
}

/// Writes rule files, which match `rules-*.yml`.
pub(super) fn write_rules(directory: &Path, files: &[String]) -> std::io::Result<()> {
    for (number, text) in files.iter().enumerate() {
        std::fs::write(directory.join(format!("rules-{number}.yml")), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_rules_are_correct_and_as_many_as_said() {
        let data = Data::new(400, 1_800_000_000, Duration::from_secs(600));
        let files = data.rule_files();
        assert_eq!(files.len(), 1);
        let loaded = vigie_alerts::load(&files[0]);
        assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
        assert_eq!(loaded.rules.rules().count(), 400);
        assert_eq!(loaded.rules.groups.len(), 4);
        assert_eq!((data.series(), data.alerts()), (4_000, 4));
        let last = data.time(data.scrapes - 1);
        assert!(last >= 1_800_000_000 - OFFSET + 600 - 2 * EVERY, "{last}");
    }
}
