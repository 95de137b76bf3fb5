//! Rules that cannot be distinguished.

use std::collections::HashMap;

use super::disjoint::disjoint;
use super::{Group, Rule, RuleKind};
use crate::finding::Finding;
use crate::lint::Lint;
use crate::yaml::shown;

/// The maximum number of rules with the same name and labels that a rule is compared with.
const MAX_COMPARED: usize = 64;

/// Reports rules with the same name and labels whose expressions can result in the same series: one would
/// overwrite the other.
pub(super) fn duplicates(groups: &[Group]) -> Vec<Finding> {
    let identity = |rule: &Rule| {
        let mut labels: Vec<_> = rule.labels.iter().collect();
        labels.sort_by_key(|label| label.key.to_string());
        let labels = labels
            .iter()
            .map(|label| format!("{:?}={:?}", &*label.key, &*label.value));
        let record = matches!(rule.kind, RuleKind::Record { .. });
        (record, rule.name().to_string(), labels.collect::<Vec<_>>())
    };
    let mut findings = Vec::new();
    let mut seen: HashMap<_, Vec<&Rule>> = HashMap::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        let name = rule.name();
        let others = seen.entry(identity(rule)).or_default();
        let mut recent = others.iter().rev().take(MAX_COMPARED);
        let first = recent.find(|other| !disjoint(&other.expr.tree, &rule.expr.tree));
        let first = first.map(|other| other.name().span());
        others.push(rule);
        if let Some(first) = first {
            let title = format!("two rules result in `{}` with the same labels", shown(name));
            let finding = Finding::new(
                Lint::DuplicateRule,
                name.span(),
                title,
                "cannot be distinguished from the first",
            );
            findings.push(
                finding
                    .also(first, "the first")
                    .help("give one of them another name or another label".to_owned()),
            );
        }
    }
    findings
}
