//! Parses YAML into a tree of nodes with positions.

mod build;
mod scalar;
mod text;

use std::rc::Rc;

use crate::finding::{Finding, Span};
use build::Builder;
pub use text::Text;

/// A value with its position.
#[derive(Debug)]
pub struct Node {
    /// Its position.
    pub span: Span,
    /// The value.
    pub value: Value,
    /// Its size with expanded aliases.
    weight: usize,
}

/// A scalar, a list, a table, or a reference to one.
#[derive(Debug)]
pub enum Value {
    /// A text, or null (`key:`, `~`, `null`).
    Scalar(Option<Text>),
    /// The items of a list.
    List(Vec<Rc<Node>>),
    /// The keys and values of a table, in the order of the file.
    Table(Vec<(Rc<Node>, Rc<Node>)>),
    /// `*name`, with the anchored node.
    Alias(Rc<Node>),
}

/// The first document of a file, which is the only one that Prometheus reads.
#[derive(Debug, Default)]
pub struct Document {
    /// `None` if the file is empty.
    pub root: Option<Rc<Node>>,
    /// The start of the content of later documents, if any.
    pub ignored: Option<Span>,
    /// The positions of the texts, in the order of the file.
    pub texts: Vec<Span>,
    /// Tags, which are ignored.
    pub findings: Vec<Finding>,
}

impl Node {
    /// The value, or the anchored value of an alias. An alias never refers to another alias.
    #[must_use]
    pub fn resolved(&self) -> &Self {
        match &self.value {
            Value::Alias(node) => node,
            _ => self,
        }
    }

    /// The end of the value. The parser's span of a text extends to the next token.
    fn end(&self) -> usize {
        match &self.value {
            Value::Scalar(Some(text)) => text.span().end,
            _ => self.span.end,
        }
    }

    /// The position of the value; of a list or table, which may be long, only its start.
    #[must_use]
    pub fn start(&self) -> Span {
        match self.value {
            Value::Scalar(_) | Value::Alias(_) => self.span.clone(),
            _ => self.span.start..self.span.start,
        }
    }

    /// The type of the value, for messages.
    #[must_use]
    pub fn described(&self) -> &'static str {
        match self.resolved().value {
            Value::Scalar(None) => "nothing",
            Value::Scalar(Some(_)) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Alias(_) => "an alias",
        }
    }
}

/// Reads the first document of `text`.
///
/// # Errors
/// The first mistake: the text is not YAML, or exceeds a bound.
pub fn parse(text: &str) -> Result<Document, Box<Finding>> {
    Builder::new(text).run()
}

/// A text shortened to a part of its first line, for messages.
#[must_use]
pub fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let start: String = line.chars().take(60).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", start.escape_debug())
}

#[cfg(test)]
mod tests;
