//! Open groups during parsing.

use super::{
    error::{Error, Fault, MAX_DEPTH},
    node::{Measured, Node},
};

/// `(?imsU)`
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// `i`: letters match in any case.
    pub(super) fold: bool,
    /// `m`: `^` and `$` also match at line boundaries.
    pub(super) lines: bool,
    /// `s`: `.` also matches a newline.
    pub(super) dot_newline: bool,
    /// `U`: repetitions are lazy, and greedy with `?`.
    pub(super) lazy: bool,
}

/// An open group.
pub(super) struct Group {
    pub(super) start: usize,
    /// The flags to restore after the group.
    pub(super) flags: Flags,
    /// The capture index, if captures are kept.
    pub(super) index: Option<u32>,
    alternatives: Vec<Measured>,
    sequence: Vec<Measured>,
    /// Whether the last item is a literal that the next character extends.
    in_literal: bool,
}

impl Group {
    pub(super) fn new(start: usize, flags: Flags, index: Option<u32>) -> Self {
        Self {
            start,
            flags,
            index,
            alternatives: Vec::new(),
            sequence: Vec::new(),
            in_literal: false,
        }
    }

    pub(super) fn push(&mut self, item: Measured) {
        self.sequence.push(item);
        self.in_literal = false;
    }

    pub(super) fn literal(&mut self, c: char, fold: bool) {
        if self.in_literal
            && let Some(Measured {
                node: Node::Literal { text, fold: same },
                ..
            }) = self.sequence.last_mut()
            && *same == fold
        {
            text.push(c);
            return;
        }
        let text = c.to_string();
        self.push(Measured::leaf(Node::Literal { text, fold }));
        self.in_literal = true;
    }

    /// Removes the operand of a repetition: the last item, or the last character of a literal.
    pub(super) fn pop(&mut self) -> Option<Measured> {
        if self.in_literal
            && let Some(Measured {
                node: Node::Literal { text, fold },
                ..
            }) = self.sequence.last_mut()
            && let Some((at, _)) = text.char_indices().next_back()
            && at > 0
        {
            let (text, fold) = (text.split_off(at), *fold);
            return Some(Measured::leaf(Node::Literal { text, fold }));
        }
        self.sequence.pop()
    }

    pub(super) fn bar(&mut self) -> Result<(), Error> {
        let sequence = std::mem::take(&mut self.sequence);
        self.alternatives.push(checked(Measured::concat(sequence))?);
        self.in_literal = false;
        Ok(())
    }

    pub(super) fn end(mut self) -> Measured {
        let last = Measured::concat(self.sequence);
        self.alternatives.push(last);
        Measured::alternate(self.alternatives)
    }
}

/// Refuses an item that is nested too deeply.
pub(super) fn checked(item: Measured) -> Result<Measured, Error> {
    match item.height > MAX_DEPTH {
        true => Err(Fault::TooDeep.of_all()),
        false => Ok(item),
    }
}
