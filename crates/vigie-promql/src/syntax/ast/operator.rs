//! Binary operators.

use super::{Expr, Name, ValueType};
use crate::syntax::span::Span;

/// A run of operators of one precedence, left-associative: `a + b - c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// From the first operand to the last.
    pub span: Span,
    /// The leftmost operand.
    pub first: Box<Expr>,
    /// The operators with their right operands; never empty. A single one for `^`, which is right-associative.
    pub rest: Vec<Operation>,
    /// The type of the result: scalar or instant vector.
    pub value_type: ValueType,
}

impl Binary {
    /// The span from the first operand to the right operand of operation `index`.
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
    /// The span of the operator, without its modifiers.
    pub op_span: Span,
    /// Whether `bool` is given.
    pub return_bool: bool,
    /// The `on` or `ignoring` clause, if any.
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
    /// The operator as written in PromQL.
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

    /// The precedence: 1 (`or`) to 6 (`^`).
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

/// The matching of series between the two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Matching {
    /// From `on` or `ignoring` to the last parenthesis.
    pub span: Span,
    /// Whether the keyword is `on` rather than `ignoring`.
    pub on: bool,
    /// The label names.
    pub labels: Vec<Name>,
    /// The `group_left` or `group_right` clause, if any.
    pub group: Option<Group>,
}

/// `group_left` or `group_right`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The side on which several series may match one series of the other.
    pub many: Side,
    /// Labels copied from the "one" side.
    pub include: Vec<Name>,
}

/// A side of a binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Side {
    Left,
    Right,
}
