//! Errors in regular expressions.

use std::ops::Range;

use thiserror::Error;

/// The maximum nesting depth of an expression, as in Go.
pub(super) const MAX_DEPTH: u32 = 1000;

/// The maximum repeat count, multiplied over nested repetitions, as in Go.
pub(super) const MAX_COPIES: u32 = 1000;

/// The longest part of an expression quoted in a message, in characters.
const MAX_QUOTED: usize = 40;

/// A regular expression that Prometheus refuses or that exceeds a size limit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("invalid regular expression: {fault}{location}")]
pub struct Error {
    fault: Fault,
    location: String,
}

/// The kinds of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Fault {
    #[error("unknown character class")]
    UnknownClass,
    #[error("character range out of order")]
    RangeOrder,
    #[error("unknown escape sequence")]
    Escape,
    #[error("backslash without a character")]
    LoneBackslash,
    #[error("group name other than letters, digits and \"_\"")]
    GroupName,
    #[error("unsupported group or flag")]
    GroupSyntax,
    #[error("repetition of a repetition")]
    StackedRepetition,
    #[error("repeat count out of order, or more than {MAX_COPIES} copies")]
    RepeatCount,
    #[error("repetition of nothing")]
    NothingToRepeat,
    #[error("unclosed character class")]
    UnclosedClass,
    #[error("unclosed group")]
    UnclosedGroup,
    #[error("unopened group")]
    UnopenedGroup,
    #[error("nesting of more than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("it compiles to more than {} MiB", super::MAX_BYTES >> 20)]
    TooLarge,
}

impl Fault {
    /// An error for a part of `pattern`.
    pub(super) fn at(self, pattern: &str, part: Range<usize>) -> Error {
        let quoted: String = pattern[part.clone()].chars().take(MAX_QUOTED).collect();
        let more = if quoted.len() < part.len() { "…" } else { "" };
        let character = pattern[..part.start].chars().count() + 1;
        Error {
            fault: self,
            location: format!(": `{quoted}{more}` at character {character}"),
        }
    }

    /// An error for the whole expression.
    pub(super) fn of_all(self) -> Error {
        Error {
            fault: self,
            location: String::new(),
        }
    }
}
