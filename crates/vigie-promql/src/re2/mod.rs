//! Regular expressions in RE2's syntax with Prometheus' semantics: anchored at both ends, and `.` matches newlines.
//!
//! [`parse`] accepts the syntax Go accepts and returns a tree with flags resolved. The tree is compiled to a [`plain`]
//! matcher where possible, and to an automaton otherwise. It is not written in the syntax of the `regex` crate, where
//! the same text has other meanings: `\d` and `\b` cover all of Unicode, classes nest, and `{` must be escaped.
//!
//! Where Prometheus 2.42 and 3 differ, this follows 3: `(?<name>…)`, a `\Q` without `\E`, and newer Unicode classes are
//! accepted.

mod class;
mod compile;
mod cursor;
mod error;
mod escape;
mod group;
mod node;
mod parse;
mod plain;
mod repeat;
mod replace;
#[cfg(test)]
mod tests;
mod unicode;

use std::sync::Arc;

use regex_automata::meta;

use compile::MAX_BYTES;
pub use error::Error;
use group::Flags;
use node::Node;
use parse::{Parsed, parse};
use plain::Plain;
pub(crate) use replace::Replacer;
pub use replace::Search;

/// An expression that matches whole texts. Clones share it.
#[derive(Clone)]
pub(crate) enum Regexp {
    Plain(Arc<Plain>),
    Automaton(meta::Regex),
}

impl Regexp {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Prometheus refuses the expression, or it compiles to more than [`MAX_BYTES`].
    pub(crate) fn new(pattern: &str) -> Result<Self, Error> {
        let parsed = read(pattern)?;
        parsed.visit(|node| {
            Ok(match Plain::new(node, pattern.len()) {
                Some(plain) => Self::Plain(Arc::new(plain)),
                None => Self::Automaton(compile::whole(node)?),
            })
        })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Plain(plain) => plain.is_match(text),
            Self::Automaton(regex) => regex.is_match(text),
        }
    }

    /// The approximate size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Plain(plain) => plain.bytes(),
            Self::Automaton(regex) => regex.memory_usage(),
        }
    }
}

/// Whether the expression needs an automaton, which is expensive to build.
pub(crate) fn is_costly(pattern: &str) -> bool {
    let is_plain = |node: &Node| Ok(Plain::new(node, pattern.len()).is_some());
    let is_plain = read(pattern).and_then(|parsed| parsed.visit(is_plain));
    is_plain.is_ok_and(|is_plain| !is_plain)
}

/// The part of a valid expression that Prometheus 2.42 refuses.
pub(crate) fn newer(pattern: &str) -> Option<&'static str> {
    read(pattern).ok()?.newer
}

fn read(pattern: &str) -> Result<Parsed, Error> {
    let flags = Flags {
        dot_newline: true,
        ..Flags::default()
    };
    parse(pattern, flags, false)
}
