//! Groups that are open while an expression is parsed.

use super::{
    error::{Error, Fault, MOST_DEPTH},
    node::{Measured, Node},
};

/// `(?imsU)`
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// `i`: letters match in any case.
    pub(super) fold: bool,
    /// `m`: `^` and `$` match at lines too.
    pub(super) lines: bool,
    /// `s`: `.` matches a newline too.
    pub(super) dot_newline: bool,
    /// `U`: repetitions prefer few copies, and with `?` many.
    pub(super) lazy: bool,
}

/// A group that is open.
pub(super) struct Group {
    pub(super) start: usize,
    /// The flags after the group.
    pub(super) flags: Flags,
    /// Which group it is, if its match can be asked for.
    pub(super) index: Option<u32>,
    alternatives: Vec<Measured>,
    sequence: Vec<Measured>,
    /// Whether the last of the sequence is a literal that the next character belongs to as well.
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

    /// Takes what a repetition repeats: of a literal, the last character.
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

/// Refuses what is nested too deep.
pub(super) fn checked(item: Measured) -> Result<Measured, Error> {
    match item.height > MOST_DEPTH {
        true => Err(Fault::TooDeep.of_all()),
        false => Ok(item),
    }
}
