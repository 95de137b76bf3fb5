//! The parser of a section between two reads.

use std::mem;

/// Keeps the parser of a section that is incomplete at the end of a read. Most sections arrive whole, so that a connection has no
/// room for one; the first split section allocates it.
#[derive(Debug)]
pub(crate) struct Split<S> {
    kept: Option<Box<S>>,
    is_within: bool,
}

impl<S> Split<S> {
    pub(crate) const NONE: Self = Self {
        kept: None,
        is_within: false,
    };

    /// The parser of the section that is continued, or a new one.
    pub(crate) fn resume(&mut self, new: impl FnOnce() -> S) -> S {
        match &mut self.kept {
            Some(kept) if mem::take(&mut self.is_within) => mem::replace(kept, new()),
            _ => new(),
        }
    }

    /// The section continues in the next read.
    pub(crate) fn keep(&mut self, section: S) {
        self.is_within = true;
        match &mut self.kept {
            Some(kept) => **kept = section,
            None => self.kept = Some(Box::new(section)),
        }
    }

    /// The section is given up.
    pub(crate) fn forget(&mut self) {
        self.is_within = false;
    }
}
