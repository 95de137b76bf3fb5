//! Failures of running templates, with the place as Go writes it.

use std::ops::Range;

use super::super::ast::{Operand, OperandKind};

/// A template that failed. `Display` is the message that Go prints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}:{column}: executing {running:?} at <{context}>: {message}")]
pub struct ExecutionError {
    name: String,
    running: String,
    line: usize,
    column: usize,
    context: String,
    /// The reason alone.
    pub message: String,
}

/// A text with templates.
#[derive(Clone, Copy)]
pub(in super::super) struct Source<'a> {
    /// The name in errors.
    pub(in super::super) name: &'a str,
    pub(in super::super) text: &'a str,
    /// The length of the text that the program inserts before it; the columns of the first line include it.
    pub(in super::super) inserted: usize,
}

/// A message, and the node that was being evaluated.
pub(super) struct Failure<'a> {
    pub(super) source: Source<'a>,
    /// The template that was running.
    pub(super) running: &'a str,
    pub(super) place: Place,
    pub(super) message: String,
}

/// Results are small: a failure is boxed.
pub(super) type Failed<'a> = Box<Failure<'a>>;

/// The node that is being evaluated, which errors name.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub(super) span: Range<usize>,
    /// The byte at which line and column point. In `$labels.queue` it is the start of `.queue`, as in Go.
    pub(super) position: usize,
    /// The node's text, where it is not the text of its span.
    pub(super) shown: Option<String>,
}

impl Place {
    pub(super) fn at(span: &Range<usize>) -> Self {
        Self {
            span: span.clone(),
            position: span.start,
            shown: None,
        }
    }

    pub(super) fn at_operand(operand: &Operand) -> Self {
        let mut place = Self::at(&operand.span);
        let counted = usize::from(operand.kind == OperandKind::Dot);
        if let Some(field) = operand.fields.get(counted) {
            place.position = field.span.start - 1;
        }
        place
    }
}

impl Failure<'_> {
    pub(super) fn explain(self) -> ExecutionError {
        let text = self.source.text;
        let before = text.get(..self.place.position).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let inserted = match line_start {
            0 => self.source.inserted,
            _ => 0,
        };
        let source = text.get(self.place.span.clone()).unwrap_or_default();
        ExecutionError {
            name: self.source.name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.len() - line_start + inserted,
            running: self.running.to_owned(),
            context: self.place.shown.unwrap_or_else(|| source.to_owned()),
            message: self.message,
        }
    }
}
