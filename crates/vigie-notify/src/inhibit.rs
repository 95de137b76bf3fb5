//! Inhibition: while one alert fires, others are muted.

use std::collections::HashMap;

use vigie_promql::Labels;

use crate::config::InhibitRule;

/// The firing alerts that inhibit others, arranged by rule.
pub struct Inhibition<'a> {
    rules: Vec<(&'a InhibitRule, HashMap<Vec<&'a str>, Sources<'a>>)>,
}

/// The sources of a rule whose labels in `equal` have the same values.
#[derive(Default)]
struct Sources<'a> {
    any: Option<&'a Labels>,
    /// One that the rule's target does not take.
    one_sided: Option<&'a Labels>,
}

impl<'a> Inhibition<'a> {
    /// Arranges the labels of the alerts that fire.
    pub fn new(rules: &'a [InhibitRule], firing: impl Iterator<Item = &'a Labels> + Clone) -> Self {
        let arrange = |rule: &'a InhibitRule| {
            let mut sources: HashMap<_, Sources<'a>> = HashMap::new();
            for labels in firing.clone().filter(|labels| rule.source.matches(labels)) {
                let sources = sources.entry(equal(rule, labels)).or_default();
                sources.any.get_or_insert(labels);
                if !rule.target.matches(labels) {
                    sources.one_sided.get_or_insert(labels);
                }
            }
            (rule, sources)
        };
        let rules = rules.iter().map(arrange).collect();
        Self { rules }
    }

    /// A firing alert that mutes the one with these labels.
    ///
    /// An alert that a rule's source and target both take is inhibited only by those that its target does not take:
    /// otherwise it would inhibit itself, or two alerts each other.
    #[must_use]
    pub fn by(&self, labels: &'a Labels) -> Option<&'a Labels> {
        self.rules.iter().find_map(|(rule, sources)| {
            if !rule.target.matches(labels) {
                return None;
            }
            let sources = sources.get(&equal(rule, labels))?;
            match rule.source.matches(labels) {
                true => sources.one_sided,
                false => sources.any,
            }
        })
    }
}

fn equal<'a>(rule: &InhibitRule, labels: &'a Labels) -> Vec<&'a str> {
    rule.equal.iter().map(|name| labels.get(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Matchers, parse};

    fn rule(source: &str, target: &str, equal: &[&str]) -> InhibitRule {
        let matchers = |text| Matchers::new(parse(text).unwrap());
        InhibitRule {
            name: String::new(),
            source: matchers(source),
            target: matchers(target),
            equal: equal.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn labels(text: &str) -> Labels {
        let pairs = text.split(',').filter(|pair| !pair.is_empty());
        Labels::new(pairs.map(|pair| pair.split_once('=').unwrap()))
    }

    #[test]
    fn who_is_inhibited() {
        let severity = rule("severity=critical", "severity=warning", &["alertname"]);
        let all = rule("team=ops", "", &[]);
        let both = rule("level=~a|b", "level=~b|c", &[]);
        for (rule, firing, target, by) in [
            (
                &severity,
                "severity=critical,alertname=A",
                "severity=warning,alertname=A",
                true,
            ),
            (
                &severity,
                "severity=critical,alertname=B",
                "severity=warning,alertname=A",
                false,
            ),
            (
                &severity,
                "severity=warning,alertname=A",
                "severity=warning,alertname=A",
                false,
            ),
            // A label that both lack is equal.
            (&severity, "severity=critical", "severity=warning", true),
            (&all, "team=ops", "team=dev", true),
            (&all, "team=ops", "team=ops", false),
            (&both, "level=a", "level=b", true),
            (&both, "level=b", "level=b", false),
            (&both, "level=b", "level=c", true),
        ] {
            let (firing, target) = ([labels(firing)], labels(target));
            let rules = std::slice::from_ref(rule);
            let inhibition = Inhibition::new(rules, firing.iter());
            assert_eq!(inhibition.by(&target).is_some(), by, "{firing:?} {target}");
        }
    }

    #[test]
    fn a_source_that_is_no_target_is_found_among_others() {
        let rules = [rule("level=~a|b", "level=~b|c", &[])];
        let firing = [labels("level=b"), labels("level=a")];
        let inhibition = Inhibition::new(&rules, firing.iter());
        assert_eq!(inhibition.by(&firing[0]), Some(&firing[1]));
    }
}
