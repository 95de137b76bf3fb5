//! The labels of a series.

use std::{fmt, sync::Arc};

/// The label that holds the metric name.
pub const METRIC_NAME: &str = "__name__";

/// The label that holds the upper bound of a classic histogram's bucket.
pub(crate) const BUCKET: &str = "le";

/// Whether a label describes the metric, and is removed with its name.
pub(crate) fn is_metadata(name: &str) -> bool {
    matches!(name, METRIC_NAME | "__type__" | "__unit__")
}

/// The size of an [`Arc`]'s reference counts, in bytes.
const REFERENCE_COUNTS: usize = 2 * size_of::<usize>();

/// A label set, sorted by name, with unique names and no empty values. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// An empty set.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::new([]))
    }

    /// A set of the given labels, in any order. The last of several labels with one name wins; labels with an empty
    /// value are dropped.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let labels = labels.into_iter();
        let mut labels: Vec<(Arc<str>, Arc<str>)> = labels
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        labels.reverse();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        labels.dedup_by(|later, earlier| later.0 == earlier.0);
        labels.retain(|(_, value)| !value.is_empty());
        Self(labels.into())
    }

    /// The value of a label; `""` if the label is missing, as for matchers.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or("")
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| &**known == name);
        found.map(|(_, value)| &**value)
    }

    /// The metric name; `""` if there is none.
    #[must_use]
    pub fn metric(&self) -> &str {
        self.get(METRIC_NAME)
    }

    /// Iterates over names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The names and values, sorted by name, which can be shared with other sets.
    #[must_use]
    pub fn pairs(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }

    /// The number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels whose names `keep` accepts.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        if self.0.iter().all(|(name, _)| keep(name)) {
            return self.clone();
        }
        let kept = self.0.iter().filter(|(name, _)| keep(name));
        Self(kept.cloned().collect())
    }

    /// Whether both share one allocation.
    pub(crate) fn shares_set(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The size of the set in bytes, without the texts of its labels.
    pub(crate) fn set_bytes(&self) -> usize {
        REFERENCE_COUNTS + size_of_val(&*self.0)
    }

    /// The size in bytes of the names and values not shared with `other`.
    pub(crate) fn unshared_text_bytes(&self, other: &Self) -> usize {
        let mut others = other.0.iter().peekable();
        let mut bytes = 0;
        for (name, value) in self.0.iter() {
            while others.next_if(|(other, _)| other < name).is_some() {}
            let same = others.next_if(|(other, _)| other == name);
            if !same.is_some_and(|(other, _)| Arc::ptr_eq(other, name)) {
                bytes += REFERENCE_COUNTS + name.len();
            }
            if !same.is_some_and(|(_, other)| Arc::ptr_eq(other, value)) {
                bytes += REFERENCE_COUNTS + value.len();
            }
        }
        bytes
    }

    /// The labels without the metric name and the other labels that describe the metric.
    pub(crate) fn without_metadata(&self) -> Self {
        self.filter(|name| !is_metadata(name))
    }

    /// The labels with one set to `value`, or removed if `value` is empty.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut labels: Vec<_> = self.0.to_vec();
        let at = labels.binary_search_by(|(known, _)| (**known).cmp(name));
        match (at, value.is_empty()) {
            (Ok(at), true) => {
                labels.remove(at);
            }
            (Ok(at), false) => labels[at].1 = value.into(),
            (Err(_), true) => {}
            (Err(at), false) => labels.insert(at, (name.into(), value.into())),
        }
        Self(labels.into())
    }
}

/// Displays a label set with the name as a label: `{__name__="up", job="api"}`.
pub(crate) struct Set<'a>(pub(crate) &'a Labels);

impl fmt::Display for Set<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_set(f, self.0.iter())
    }
}

fn write_set<'a>(
    f: &mut fmt::Formatter<'_>,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) -> fmt::Result {
    f.write_str("{")?;
    for (at, (name, value)) in labels.enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        write!(f, "{comma}{name}={value:?}")?;
    }
    f.write_str("}")
}

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Display for Labels {
    /// Formats a series as Prometheus does: `name{label="value", …}`, `{}` without labels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.metric();
        f.write_str(name)?;
        if self.len() == 1 && !name.is_empty() {
            return Ok(());
        }
        write_set(f, self.iter().filter(|(name, _)| *name != METRIC_NAME))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
