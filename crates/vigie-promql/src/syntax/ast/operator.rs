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
    /// The `fill`, `fill_left` and `fill_right` clauses.
    pub fill: Fill,
    /// The right operand.
    pub rhs: Expr,
}

/// The values that stand for series that one side lacks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fill {
    /// The value on the left side.
    pub left: Option<f64>,
    /// The value on the right side.
    pub right: Option<f64>,
}

impl PartialEq for Fill {
    fn eq(&self, other: &Self) -> bool {
        let bits = |fill: &Self| [fill.left, fill.right].map(|value| value.map(f64::to_bits));
        bits(self) == bits(other)
    }
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
    TrimUpper,
    TrimLower,
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
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
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
        self.precedence() == 3 && !self.is_trim()
    }

    /// `</`, `>/`, which remove the observations of a native histogram above or below a value.
    #[must_use]
    pub fn is_trim(self) -> bool {
        matches!(self, Self::TrimUpper | Self::TrimLower)
    }

    /// `+`, `-`, `*`, `/`, `%`, `^`, `atan2`.
    #[must_use]
    pub fn is_arithmetic(self) -> bool {
        self.precedence() > 3
    }

    /// `and`, `or`, `unless`.
    #[must_use]
    pub fn is_set(self) -> bool {
        self.precedence() < 3
    }

    /// The comparison with its sides exchanged: `1 < x` is `x > 1`. Other operators stay the same.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::Less => Self::Greater,
            Self::GreaterEqual => Self::LessEqual,
            Self::LessEqual => Self::GreaterEqual,
            other => other,
        }
    }

    /// The result of an arithmetic operator; for a comparison, 1 or 0; NaN for `</` and `>/`, which need histograms.
    #[inline]
    #[must_use]
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Sub => left - right,
            Self::Mul => left * right,
            Self::Div => left / right,
            Self::Mod => left % right,
            Self::Pow => left.powf(right),
            Self::Atan2 => left.atan2(right),
            Self::TrimUpper | Self::TrimLower => f64::NAN,
            _ => f64::from(u8::from(self.holds(left, right))),
        }
    }

    /// Whether a comparison holds; `false` for other operators.
    #[inline]
    #[must_use]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::Less => left < right,
            Self::GreaterEqual => left >= right,
            Self::LessEqual => left <= right,
            _ => false,
        }
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
