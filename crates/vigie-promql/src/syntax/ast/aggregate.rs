//! Aggregations.

use super::{Expr, Name, ValueType};
use crate::syntax::span::Span;

/// An aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// From the operator to the last parenthesis.
    pub span: Span,
    /// The operator.
    pub op: AggregateOp,
    /// The `by` or `without` clause, if any.
    pub grouping: Option<Grouping>,
    /// The first argument of `topk`, `bottomk`, `quantile`, `count_values`, `limitk` and `limit_ratio`.
    pub param: Option<Box<Expr>>,
    /// The aggregated expression.
    pub expr: Box<Expr>,
}

/// `by (…)` or `without (…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// From the keyword to the closing parenthesis.
    pub span: Span,
    /// Whether the keyword is `without` rather than `by`.
    pub without: bool,
    /// The label names.
    pub labels: Vec<Name>,
}

/// Aggregation operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum AggregateOp {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    CountValues,
    Quantile,
    Limitk,
    LimitRatio,
}

impl AggregateOp {
    /// All operators.
    pub const ALL: &[Self] = &[
        Self::Sum,
        Self::Avg,
        Self::Count,
        Self::Min,
        Self::Max,
        Self::Group,
        Self::Stddev,
        Self::Stdvar,
        Self::Topk,
        Self::Bottomk,
        Self::CountValues,
        Self::Quantile,
        Self::Limitk,
        Self::LimitRatio,
    ];

    /// The operator as written in PromQL.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::Topk => "topk",
            Self::Bottomk => "bottomk",
            Self::CountValues => "count_values",
            Self::Quantile => "quantile",
            Self::Limitk => "limitk",
            Self::LimitRatio => "limit_ratio",
        }
    }

    /// Whether the result consists of some of the aggregated series, with all their labels.
    #[must_use]
    pub fn selects_series(self) -> bool {
        matches!(
            self,
            Self::Topk | Self::Bottomk | Self::Limitk | Self::LimitRatio
        )
    }

    /// Whether native histograms take no part.
    pub(crate) fn ignores_histograms(self) -> bool {
        matches!(
            self,
            Self::Min
                | Self::Max
                | Self::Stddev
                | Self::Stdvar
                | Self::Quantile
                | Self::Topk
                | Self::Bottomk
        )
    }

    /// Whether Prometheus has the operator only behind a feature flag.
    #[must_use]
    pub fn is_experimental(self) -> bool {
        matches!(self, Self::Limitk | Self::LimitRatio)
    }

    /// The type of the first of two arguments; `None` for operators with one argument.
    #[must_use]
    pub fn param(self) -> Option<ValueType> {
        match self {
            Self::Topk | Self::Bottomk | Self::Quantile | Self::Limitk | Self::LimitRatio => {
                Some(ValueType::Scalar)
            }
            Self::CountValues => Some(ValueType::String),
            _ => None,
        }
    }
}
