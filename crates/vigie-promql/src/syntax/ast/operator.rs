//! Operators between two sides.

use super::{Expr, Name, ValueType};
use crate::syntax::span::Span;

/// A run of operators of one precedence, evaluated from the left: `a + b - c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// From the first operand to the last.
    pub span: Span,
    /// The leftmost operand.
    pub first: Box<Expr>,
    /// The operators with what stands right of each; never empty, and one alone for `^`, which groups from the right.
    pub rest: Vec<Operation>,
    /// Scalar or instant vector.
    pub value_type: ValueType,
}

impl Binary {
    /// From the first operand to the right one of operation `index`.
    #[must_use]
    pub fn span_to(&self, index: usize) -> Span {
        self.first.span().to(self.rest[index].rhs.span())
    }
}

/// An operator with its right operand.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The operator.
    pub op: BinaryOp,
    /// Where the operator stands, without its modifiers.
    pub op_span: Span,
    /// Whether `bool` was given.
    pub return_bool: bool,
    /// `on` or `ignoring`, where given.
    pub matching: Option<Matching>,
    /// The right operand.
    pub rhs: Expr,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    And,
    Or,
    Unless,
}

impl BinaryOp {
    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Atan2 => "atan2",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterEqual => ">=",
            Self::LessEqual => "<=",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }

    /// How tightly it binds: 1 (`or`) to 6 (`^`).
    #[must_use]
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Mod | Self::Atan2 => 5,
            Self::Pow => 6,
            _ => 3,
        }
    }

    /// `==`, `!=`, `<`, `<=`, `>`, `>=`.
    #[must_use]
    pub fn is_comparison(self) -> bool {
        self.precedence() == 3
    }

    /// `and`, `or`, `unless`.
    #[must_use]
    pub fn is_set(self) -> bool {
        self.precedence() < 3
    }
}

/// How the series of the two sides find each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Matching {
    /// From `on` or `ignoring` to the last parenthesis.
    pub span: Span,
    /// Whether it is `on`, and not `ignoring`.
    pub on: bool,
    /// The labels named.
    pub labels: Vec<Name>,
    /// `group_left` or `group_right`, where given.
    pub group: Option<Group>,
}

/// `group_left` or `group_right`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The side that has many series for one of the other.
    pub many: Side,
    /// Labels copied from the side of one.
    pub include: Vec<Name>,
}

/// A side of a binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Side {
    Left,
    Right,
}
