//! Words of an action.

use std::ops::Range;

/// A word with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    /// Whether there is a space before it: `$x.y` is a field of `$x`, `$x .y` are two operands.
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A function, a keyword, `true`, `nil`.
    Word(String),
    /// `.name`
    Field(String),
    Dot,
    /// `$name` or `$`, the `$` included.
    Variable(String),
    Text(String),
    Number(String),
    Character(char),
    Pipe,
    Open,
    Close,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

/// A template, cut into text and actions.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Text outside of actions, trimmed where a marker asks for it.
    Text(String),
    /// `{{ … }}`: its place, braces included, and its words.
    Action(Range<usize>, Vec<Token>),
}
