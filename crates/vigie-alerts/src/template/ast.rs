//! The syntax tree. Spans are byte ranges of the template's text.

use std::ops::Range;

use super::function::Function;

/// A template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// The template itself.
    pub nodes: Vec<Node>,
    /// The named templates of `define` and `block`, which `template` includes.
    pub defined: Vec<(String, Vec<Node>)>,
}

/// A node of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Literal text.
    Text(String),
    /// `{{ pipeline }}`
    Action(Pipeline),
    /// `{{ if pipeline }}`
    If(Branch),
    /// `{{ range pipeline }}`: the dot is each item.
    Range(Branch),
    /// `{{ with pipeline }}`: the dot is the value.
    With(Branch),
    /// `{{ template "name" pipeline }}`
    Template {
        /// The position of the name.
        span: Range<usize>,
        /// The name.
        name: String,
        /// The dot of the included template.
        argument: Option<Pipeline>,
    },
    /// `{{ break }}`
    Break,
    /// `{{ continue }}`
    Continue,
}

/// Whether a definition consists of spaces alone; such a one does not replace another.
pub(super) fn is_empty(nodes: &[Node]) -> bool {
    let is_blank = |node: &Node| matches!(node, Node::Text(text) if text.trim().is_empty());
    nodes.iter().all(is_blank)
}

/// The common structure of `if`, `range` and `with`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The condition or value.
    pub pipeline: Pipeline,
    /// The nodes if it is not empty.
    pub body: Vec<Node>,
    /// The nodes if it is empty; `else if` is an `if` in here.
    pub otherwise: Vec<Node>,
}

/// Commands; the result of each is the last argument of the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// From the first declared variable to the last command.
    pub span: Range<usize>,
    /// The variables that are assigned; in a `range` possibly two, index and item.
    pub variables: Vec<Name>,
    /// Whether the variables are declared (`:=`) and not reassigned (`=`).
    pub declares: bool,
    /// The commands; never empty.
    pub commands: Vec<Command>,
}

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its position.
    pub span: Range<usize>,
    /// The name; a variable's begins with `$`.
    pub text: String,
}

/// A value, or a function with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// From the first operand to the last.
    pub span: Range<usize>,
    /// The operands; never empty.
    pub operands: Vec<Operand>,
}

/// An operand of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Its position, including fields.
    pub span: Range<usize>,
    /// Its kind.
    pub kind: OperandKind,
    /// The fields that are selected, as in `$labels.queue`.
    pub fields: Vec<Name>,
}

/// The kind of an [`Operand`], before fields are selected.
#[derive(Clone, Debug, PartialEq)]
pub enum OperandKind {
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A character in single quotes, which is a number too.
    Character(char),
    /// `"text"`
    Text(String),
    /// `$name`, or `$` alone.
    Variable(String),
    /// A function.
    Function(Function),
    /// `(pipeline)`
    Paren(Box<Pipeline>),
}
