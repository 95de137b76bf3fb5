//! The syntax tree. Spans are bytes of the template's text.

use std::ops::Range;

use super::function::Function;

/// A template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// What is written out.
    pub nodes: Vec<Node>,
    /// What `define` and `block` gave a name, to be written out by `template`.
    pub defined: Vec<(String, Vec<Node>)>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text that is written out as it is.
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
        /// Where the name stands.
        span: Range<usize>,
        /// The name.
        name: String,
        /// What the dot is in it.
        argument: Option<Pipeline>,
    },
    /// `{{ break }}`
    Break,
    /// `{{ continue }}`
    Continue,
}

/// What `if`, `range` and `with` have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// What decides.
    pub pipeline: Pipeline,
    /// What is written if it is there.
    pub body: Vec<Node>,
    /// What is written if it is not; `else if` is an `if` in here.
    pub otherwise: Vec<Node>,
}

/// Commands, each with the result of the one before as its last argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// From the first declared variable to the last command.
    pub span: Range<usize>,
    /// The variables that get the value; two of them, index and item, in a `range` alone.
    pub variables: Vec<Name>,
    /// Whether the variables are new (`:=`) and not given another value (`=`).
    pub declares: bool,
    /// The commands; never empty.
    pub commands: Vec<Command>,
}

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Where it stands.
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

/// A word of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Where it stands, the fields behind it included.
    pub span: Range<usize>,
    /// What it is.
    pub kind: OperandKind,
    /// The fields taken from it, as in `$labels.queue`.
    pub fields: Vec<Name>,
}

/// What an [`Operand`] is, before fields are taken from it.
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
