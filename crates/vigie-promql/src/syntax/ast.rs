//! The syntax tree. Every node knows its place; trees compare without places.
//!
//! A run of operators of one precedence, `a + b - c`, is one [`Binary`] node with a list of operations. So the tree's depth
//! is how deep a query is nested, never how long it is, and recursion over it is bounded by [`MAX_DEPTH`](super::MAX_DEPTH).

use super::{function::Function, span::Span};
use crate::matcher::Matcher;

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

/// An instant selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// Where it stands, modifiers included.
    pub span: Span,
    /// The metric's name where it is given as such, be it before the braces or quoted inside.
    pub name: Option<Name>,
    /// The matchers inside the braces, without the one of `name`.
    pub matchers: Vec<LabelMatcher>,
    /// `offset` and `@`.
    pub shift: Shift,
}

impl Selector {
    /// Every matcher, that of the metric's name first.
    pub fn all_matchers(&self) -> impl Iterator<Item = Matcher> + '_ {
        let name = self.name.iter();
        let name = name.map(|name| Matcher::equal("__name__", name.text.clone()));
        name.chain(self.matchers.iter().map(|matcher| matcher.matcher.clone()))
    }

    /// The metric's name, be it given as such or as `{__name__="…"}`.
    #[must_use]
    pub fn metric(&self) -> Option<&str> {
        let equal = |matcher: &&LabelMatcher| {
            matcher.matcher.op() == crate::matcher::MatchOp::Equal
                && matcher.matcher.name() == "__name__"
        };
        let name = self.name.as_ref().map(|name| name.text.as_str());
        name.or_else(|| Some(self.matchers.iter().find(equal)?.matcher.value()))
    }
}

/// A name with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// Where it stands, quotes included.
    pub span: Span,
    /// The name that is meant.
    pub text: String,
}

/// A matcher with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMatcher {
    /// From the label's name to the value's closing quote.
    pub span: Span,
    /// What is compared.
    pub matcher: Matcher,
}

/// The modifiers that move a selector or subquery in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shift {
    /// `offset 5m`; further into the past where positive.
    pub offset: Option<Duration>,
    /// `@ 1600000000`.
    pub at: Option<At>,
}

/// The `@` modifier.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// From the `@` on.
    pub span: Span,
    /// The time that is meant.
    pub time: AtTime,
}

/// What stands behind `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTime {
    /// Milliseconds since the epoch.
    Millis(i64),
    /// `start()`: the first step of the query.
    Start,
    /// `end()`: the last step of the query.
    End,
}

/// A duration, or arithmetic over durations.
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// Where it stands.
    pub span: Span,
    /// What it is made of.
    pub kind: DurationKind,
}

/// What a [`Duration`] is made of. All values are seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationKind {
    /// `5m` or `300`.
    Literal(f64),
    /// `step()`: the step of the query, 0 of an instant query.
    Step,
    /// `range()`: from the first to the last step of the query.
    Range,
    /// `-d`.
    Negative(Box<Duration>),
    /// `(d)`.
    Paren(Box<Duration>),
    /// `a + b`, also `- * / % ^`.
    Binary(BinaryOp, Box<Duration>, Box<Duration>),
    /// `min_of(a, b)`.
    MinOf(Box<Duration>, Box<Duration>),
    /// `max_of(a, b)`.
    MaxOf(Box<Duration>, Box<Duration>),
}

/// A range selector.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSelector {
    /// Where it stands, modifiers included.
    pub span: Span,
    /// What is selected; its `shift` holds the modifiers written behind the bracket.
    pub selector: Selector,
    /// How far back.
    pub range: Duration,
}

/// A subquery.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// Where it stands, modifiers included.
    pub span: Span,
    /// What is evaluated at every step.
    pub expr: Box<Expr>,
    /// How far back.
    pub range: Duration,
    /// The step; the engine's default where none is given.
    pub step: Option<Duration>,
    /// `offset` and `@`.
    pub shift: Shift,
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

/// An aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// From the operator to the last parenthesis.
    pub span: Span,
    /// The operator.
    pub op: AggregateOp,
    /// `by` or `without`, where given.
    pub grouping: Option<Grouping>,
    /// The first argument of `topk`, `bottomk`, `quantile` and `count_values`.
    pub param: Option<Box<Expr>>,
    /// What is aggregated.
    pub expr: Box<Expr>,
}

/// `by (…)` or `without (…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// From the keyword to the closing parenthesis.
    pub span: Span,
    /// Whether it is `without`, and not `by`.
    pub without: bool,
    /// The labels named.
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
}

impl AggregateOp {
    /// As it is written.
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
        }
    }

    /// The type of the first of two arguments; `None` where there is only one.
    #[must_use]
    pub fn param(self) -> Option<ValueType> {
        match self {
            Self::Topk | Self::Bottomk | Self::Quantile => Some(ValueType::Scalar),
            Self::CountValues => Some(ValueType::String),
            _ => None,
        }
    }
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
