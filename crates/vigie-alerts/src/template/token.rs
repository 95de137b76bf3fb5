//! The tokens of an action.

use std::ops::Range;

/// A token with its position.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    /// Whether a space precedes it: `$x.y` is a field of `$x`, `$x .y` are two operands.
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A function, keyword, `true` or `nil`.
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

/// A part of a template: text or an action.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Text outside of actions, trimmed according to the markers.
    Text(String),
    /// `{{ … }}`: its position including the braces, and its tokens.
    Action(Range<usize>, Vec<Token>),
}
