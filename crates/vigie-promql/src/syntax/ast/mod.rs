//! The syntax tree. Every node knows its place; trees compare without places.
//!
//! A run of operators of one precedence, `a + b - c`, is one [`Binary`] node with a list of operations. So the tree's depth
//! is how deep a query is nested, never how long it is, and recursion over it is bounded by [`MAX_DEPTH`](super::MAX_DEPTH).

mod aggregate;
mod operator;
mod selector;

pub use aggregate::{Aggregate, AggregateOp, Grouping};
pub use operator::{Binary, BinaryOp, Group, Matching, Operation, Side};
pub use selector::{
    At, AtTime, Duration, DurationKind, LabelMatcher, Name, RangeSelector, Selector, Shift,
    Subquery,
};

use super::{function::Function, span::Span};

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// One sample for each of a set of series.
    Vector,
    /// A range of samples for each of a set of series.
    Matrix,
    /// A text.
    String,
}

impl ValueType {
    /// The type's name in messages, with its article.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Vector => "an instant vector",
            Self::Matrix => "a range vector",
            Self::String => "a string",
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `1.5`, `0x1f`, `5m`, `NaN`.
    Number(Number),
    /// `"text"`.
    Text(Text),
    /// `metric{label="value"} offset 5m @ 0`.
    Selector(Selector),
    /// `metric[5m]`.
    Range(RangeSelector),
    /// `expr[1h:5m]`.
    Subquery(Subquery),
    /// `(expr)`.
    Paren(Paren),
    /// `-expr`.
    Unary(Unary),
    /// `a + b - c`: a run of operators of one precedence.
    Binary(Binary),
    /// `rate(x[5m])`.
    Call(Call),
    /// `sum by (job) (x)`.
    Aggregate(Aggregate),
}

/// A number literal.
#[derive(Clone, Debug)]
pub struct Number {
    /// Where it stands, a folded sign included.
    pub span: Span,
    /// The value; of a duration, in seconds.
    pub value: f64,
    /// Whether it was written as a duration.
    pub duration: bool,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        let same = self.value.to_bits() == other.value.to_bits()
            || (self.value.is_nan() && other.value.is_nan());
        same && self.duration == other.duration
    }
}

/// A string literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where it stands, quotes included.
    pub span: Span,
    /// The text that is meant.
    pub value: String,
}

/// An expression in parentheses.
#[derive(Clone, Debug, PartialEq)]
pub struct Paren {
    /// Parentheses included.
    pub span: Span,
    /// What is inside.
    pub expr: Box<Expr>,
}

/// A sign before an expression that is not a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    /// Sign included.
    pub span: Span,
    /// Whether the sign is `-`.
    pub negative: bool,
    /// What it stands before.
    pub expr: Box<Expr>,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// From the name to the closing parenthesis.
    pub span: Span,
    /// Where the name stands.
    pub name_span: Span,
    /// The function.
    pub function: Function,
    /// The arguments, as many and of such types as the function takes.
    pub args: Vec<Expr>,
}

impl Expr {
    /// Where the expression stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Number(node) => node.span,
            Self::Text(node) => node.span,
            Self::Selector(node) => node.span,
            Self::Range(node) => node.span,
            Self::Subquery(node) => node.span,
            Self::Paren(node) => node.span,
            Self::Unary(node) => node.span,
            Self::Binary(node) => node.span,
            Self::Call(node) => node.span,
            Self::Aggregate(node) => node.span,
        }
    }

    /// What the expression evaluates to.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Number(_) => ValueType::Scalar,
            Self::Text(_) => ValueType::String,
            Self::Selector(_) | Self::Aggregate(_) => ValueType::Vector,
            Self::Range(_) | Self::Subquery(_) => ValueType::Matrix,
            Self::Paren(node) => node.expr.value_type(),
            Self::Unary(node) => node.expr.value_type(),
            Self::Binary(node) => node.value_type,
            Self::Call(node) => node.function.returns(),
        }
    }

    /// The expression without the parentheses around it.
    #[must_use]
    pub fn unwrap_parens(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            expr = &paren.expr;
        }
        expr
    }
}
