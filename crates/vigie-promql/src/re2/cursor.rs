//! A place in the text of an expression.

use super::error::{Error, Fault};

#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// In bytes, between characters.
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

    /// Takes `expected`, if it stands next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Takes everything before `end`, and `end`; nothing where there is none.
    pub(super) fn eat_until(&mut self, end: &str) -> Option<&'a str> {
        let (before, _) = self.rest().split_once(end)?;
        self.at += before.len() + end.len();
        Some(before)
    }

    /// The fault of what was taken since `start`.
    pub(super) fn fault(&self, fault: Fault, start: usize) -> Error {
        fault.at(self.text, start..self.at)
    }

    /// The fault of everything from `start` on.
    pub(super) fn fault_of_rest(&self, fault: Fault, start: usize) -> Error {
        fault.at(self.text, start..self.text.len())
    }
}
