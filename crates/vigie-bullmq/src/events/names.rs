//! The job names of one queue, as labels: few, and short.

use hashbrown::HashMap;

/// A name, by its place in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameId(u32);

impl NameId {
    /// The name at that place.
    pub(crate) fn of(index: usize) -> Option<Self> {
        u32::try_from(index).ok().map(Self)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Names past the bound.
pub(crate) const OTHER: &str = "other";
/// The name of a job that was gone before its name could be read.
pub(crate) const UNKNOWN: &str = "unknown";
/// A longer name is cut.
const LONGEST: usize = 128;

pub(crate) struct Names {
    labels: Vec<Box<str>>,
    ids: HashMap<Box<str>, NameId, foldhash::fast::RandomState>,
    max: usize,
}

impl Names {
    /// At most `max` names, and the two that stand for others.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            labels: Vec::new(),
            ids: HashMap::default(),
            max,
        }
    }

    /// All names so far, in the order they were first seen.
    pub(crate) fn labels(&self) -> &[Box<str>] {
        &self.labels
    }

    pub(crate) fn id(&mut self, name: &[u8]) -> NameId {
        let name = String::from_utf8_lossy(name);
        let label = &name[..name.floor_char_boundary(LONGEST)];
        match self.ids.get(label) {
            Some(id) => *id,
            None if label.is_empty() => self.unknown(),
            None if self.labels.len() < self.max => self.add(label),
            None => self.reserved(OTHER),
        }
    }

    pub(crate) fn unknown(&mut self) -> NameId {
        self.reserved(UNKNOWN)
    }

    fn reserved(&mut self, label: &str) -> NameId {
        match self.ids.get(label) {
            Some(id) => *id,
            None => self.add(label),
        }
    }

    fn add(&mut self, label: &str) -> NameId {
        // There are at most `max + 2`.
        let id = NameId(self.labels.len() as u32);
        self.labels.push(label.into());
        self.ids.insert(label.into(), id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_few_and_short() {
        let mut names = Names::new(2);
        let mail = names.id(b"mail");
        assert_eq!(names.id(b"mail"), mail);
        names.id("é".repeat(100).as_bytes());
        let other = names.id(b"third");
        assert_eq!(names.id(b"fourth"), other);
        assert_ne!(names.unknown(), other);
        assert_eq!(names.id(b""), names.unknown());
        let cut = "é".repeat(64);
        let labels: Vec<&str> = names.labels().iter().map(|label| &**label).collect();
        assert_eq!(labels, ["mail", &cut, "other", "unknown"]);
    }
}
