//! The templates in labels and annotations: Go's `text/template`, with the functions that Prometheus adds.
//!
//! [`parse`] refuses what Prometheus' parser refuses: unclosed actions, unknown functions, undeclared variables.

mod ast;
mod dialect;
pub mod exec;
mod function;
mod lexer;
mod library;
mod parser;
mod pipeline;
#[cfg(test)]
mod tests;
mod token;
mod words;

pub use ast::{Branch, Command, Name, Node, Operand, OperandKind, Pipeline, Template};
pub use dialect::Dialect;
pub use function::Function;
pub use library::{Failure, Library};
pub use parser::{parse, parse_as};

use std::ops::Range;

/// An error in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The bytes of the text at fault.
    pub span: Range<usize>,
    /// The mistake.
    pub title: String,
    /// The expectation.
    pub label: String,
    /// The remedy.
    pub help: Option<String>,
}

impl Error {
    fn new(span: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            span,
            title: title.into(),
            label: label.into(),
            help: None,
        }
    }
}
