//! The syntax tree. Every node has a span; comparison of trees ignores spans.
//!
//! A run of operators of one precedence, `a + b - c`, is one [`Binary`] node with a list of operations. The depth of
//! the tree therefore depends on the nesting of a query and not on its length, and recursion over it is bounded by
//! [`MAX_DEPTH`](super::MAX_DEPTH).

mod aggregate;
mod operator;
mod selector;

pub use aggregate::{Aggregate, AggregateOp, Grouping};
pub use operator::{Binary, BinaryOp, Fill, Group, Matching, Operation, Side};
pub use selector::{
    At, AtTime, Duration, DurationKind, Extension, LabelMatcher, Name, RangeSelector, Selector,
    Shift, Subquery,
};

use super::{function::Function, span::Span};

/// The type of an expression's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A single number.
    Scalar,
    /// One sample for each series of a set.
    Vector,
    /// A range of samples for each series of a set.
    Matrix,
    /// A string.
    String,
}

impl ValueType {
    /// The name of the type in messages, with its article.
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
    /// The span, including a folded sign.
    pub span: Span,
    /// The value; for a duration, in seconds.
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
    /// The span, including the quotes.
    pub span: Span,
    /// The unescaped text.
    pub value: String,
}

/// An expression in parentheses.
#[derive(Clone, Debug, PartialEq)]
pub struct Paren {
    /// The span, including the parentheses.
    pub span: Span,
    /// The expression inside.
    pub expr: Box<Expr>,
}

/// A sign before an expression other than a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    /// The span, including the sign.
    pub span: Span,
    /// Whether the sign is `-`.
    pub negative: bool,
    /// The operand.
    pub expr: Box<Expr>,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// From the name to the closing parenthesis.
    pub span: Span,
    /// The span of the function name.
    pub name_span: Span,
    /// The function.
    pub function: Function,
    /// The arguments, checked against the function's signature.
    pub args: Vec<Expr>,
}

impl Expr {
    /// The span of the expression.
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

    /// The value of an expression that consists of numbers; `None` for any other.
    #[must_use]
    pub fn constant(&self) -> Option<f64> {
        match self {
            Self::Number(node) => Some(node.value),
            Self::Paren(node) => node.expr.constant(),
            Self::Unary(node) => {
                let value = node.expr.constant()?;
                Some(if node.negative { -value } else { value })
            }
            Self::Binary(node) => node.rest.iter().try_fold(
                node.first.constant()?,
                |value, Operation { op, rhs, .. }| Some(op.apply(value, rhs.constant()?)),
            ),
            _ => None,
        }
    }

    /// The type of the result.
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

    /// The expression without enclosing parentheses.
    #[must_use]
    pub fn unwrap_parens(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            expr = &paren.expr;
        }
        expr
    }
}
