//! Errors of the parser.

use super::span::Span;

/// A query that is not valid PromQL, or that this engine refuses.
///
/// Displays as `line:column: message`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ParseError {
    /// The kind of error.
    pub kind: ParseErrorKind,
    /// The bytes at fault.
    pub span: Span,
    /// The line of the first byte at fault, counted from 1.
    pub line: usize,
    /// The column of the first byte at fault, counted from 1, in characters.
    pub column: usize,
    /// The message: what was found and what was expected.
    pub message: String,
}

/// The kinds of [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The text does not follow the grammar.
    Syntax,
    /// An expression has the wrong type.
    Type,
    /// There is no function of this name.
    UnknownFunction,
    /// Syntax of Prometheus that this engine does not evaluate.
    NotSupported,
    /// Experimental syntax in a query that must not use it, see [`Features`](super::Features).
    Experimental,
    /// The query is longer than [`MAX_QUERY_BYTES`](super::MAX_QUERY_BYTES) or [`MAX_TOKENS`](super::MAX_TOKENS), or
    /// its regular expressions exceed [`MAX_REGEX_BYTES`](super::MAX_REGEX_BYTES).
    TooLong,
    /// Expressions are nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
}

/// An error without line and column.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ParseErrorKind,
    pub(super) span: Span,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(kind: ParseErrorKind, span: Span, message: impl Into<String>) -> Self {
        Self {
            kind,
            span,
            message: message.into(),
        }
    }

    pub(super) fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::Syntax, span, message)
    }

    pub(super) fn wrong_type(span: Span, message: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::Type, span, message)
    }

    pub(super) fn not_supported(span: Span, what: impl std::fmt::Display) -> Self {
        Self::new(
            ParseErrorKind::NotSupported,
            span,
            format!("{what} not supported"),
        )
    }

    pub(super) fn experimental(span: Span, what: impl std::fmt::Display) -> Self {
        let message = format!(
            "{what} is experimental and must be enabled with experimental = true in [query]"
        );
        Self::new(ParseErrorKind::Experimental, span, message)
    }

    pub(super) fn locate(self, query: &str) -> ParseError {
        let (line, column) = self.span.position(query);
        ParseError {
            kind: self.kind,
            span: self.span,
            line,
            column,
            message: self.message,
        }
    }
}
