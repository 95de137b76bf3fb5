//! A position in the text of an expression.

use super::error::{Error, Fault};

#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// The byte offset, at a character boundary.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Consumes `expected` if the rest starts with it.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Consumes the text up to and including `end`, and returns the text before it; `None` if `end` is missing.
    pub(super) fn eat_until(&mut self, end: &str) -> Option<&'a str> {
        let (before, _) = self.rest().split_once(end)?;
        self.at += before.len() + end.len();
        Some(before)
    }

    /// An error for the text consumed since `start`.
    pub(super) fn fault(&self, fault: Fault, start: usize) -> Error {
        fault.at(self.text, start..self.at)
    }

    /// An error for the text from `start` to the end.
    pub(super) fn fault_of_rest(&self, fault: Fault, start: usize) -> Error {
        fault.at(self.text, start..self.text.len())
    }
}
