//! The inverted index from labels to series.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use vigie_promql::{Labels, MatchOp, Matcher};

/// For each label, the slots of its series, ascending. Each text is stored once.
pub(super) struct Index {
    names: HashMap<Arc<str>, BTreeMap<Arc<str>, Vec<u32>>>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            names: HashMap::new(),
        }
    }

    /// Adds a series; returns its labels with the stored texts.
    pub(super) fn insert(&mut self, slot: u32, labels: &[(&str, &str)]) -> Labels {
        let shared = labels.iter().map(|&(name, value)| {
            let name = match self.names.get_key_value(name) {
                Some((name, _)) => Arc::clone(name),
                None => Arc::from(name),
            };
            let values = self.names.entry(Arc::clone(&name)).or_default();
            let value = match values.get_key_value(value) {
                Some((value, _)) => Arc::clone(value),
                None => Arc::from(value),
            };
            let slots = values.entry(Arc::clone(&value)).or_default();
            if let Err(at) = slots.binary_search(&slot) {
                slots.insert(at, slot);
            }
            (name, value)
        });
        Labels::new(shared)
    }

    /// Removes each series for which `keep` returns `false`.
    pub(super) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        self.names.retain(|_, values| {
            values.retain(|_, slots| {
                slots.retain(|&slot| keep(slot));
                !slots.is_empty()
            });
            !values.is_empty()
        });
    }

    /// A superset of the series that pass all matchers: those with all labels that must be equal, or else with any
    /// label that a regular expression accepts. `None` means all series.
    pub(super) fn candidates(&self, matchers: &[Matcher]) -> Option<Vec<u32>> {
        let mut equal = Vec::new();
        for matcher in matchers {
            if matcher.op() == MatchOp::Equal && !matcher.value().is_empty() {
                let values = self.names.get(matcher.name());
                let slots = values.and_then(|values| values.get(matcher.value()));
                equal.push(slots.map_or(&[][..], Vec::as_slice));
            }
        }
        equal.sort_by_key(|slots| slots.len());
        if let Some((shortest, others)) = equal.split_first() {
            let in_all = |slot: &&u32| others.iter().all(|slots| slots.binary_search(slot).is_ok());
            return Some(shortest.iter().filter(in_all).copied().collect());
        }
        // Matchers that accept "" accept series without the label, which the index does not list.
        let narrow = matchers.iter().find(|matcher| !matcher.matches(""))?;
        let mut slots = Vec::new();
        for (value, with_value) in self.names.get(narrow.name()).into_iter().flatten() {
            if narrow.matches(value) {
                slots.extend(with_value);
            }
        }
        slots.sort_unstable();
        Some(slots)
    }
}
