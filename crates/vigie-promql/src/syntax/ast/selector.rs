//! Selectors, ranges and subqueries, and their time modifiers.

use super::{BinaryOp, Expr};
use crate::{
    matcher::{MatchOp, Matcher},
    syntax::span::Span,
};

/// An instant selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// The span, including the modifiers.
    pub span: Span,
    /// The metric name, if written before the braces or quoted inside them.
    pub name: Option<Name>,
    /// The matchers inside the braces, without `name`.
    pub matchers: Vec<LabelMatcher>,
    /// `anchored` or `smoothed`, if given.
    pub extension: Option<Extension>,
    /// `offset` and `@`.
    pub shift: Shift,
}

/// How a selector uses samples outside of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// `anchored`: the last sample before the window is the value at its start.
    Anchored,
    /// `smoothed`: the values at both ends of the window are interpolated between the samples around them.
    Smoothed,
}

impl Extension {
    /// The modifier as written in PromQL.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Anchored => "anchored",
            Self::Smoothed => "smoothed",
        }
    }
}

impl Selector {
    /// All matchers, that of the metric name first.
    pub fn all_matchers(&self) -> impl Iterator<Item = Matcher> + '_ {
        let name = self.name.iter();
        let name = name.map(|name| Matcher::equal("__name__", name.text.clone()));
        name.chain(self.matchers.iter().map(|matcher| matcher.matcher.clone()))
    }

    /// The metric name, written as such or as `{__name__="…"}`.
    #[must_use]
    pub fn metric(&self) -> Option<&str> {
        let equal = |matcher: &&LabelMatcher| {
            matcher.matcher.op() == MatchOp::Equal && matcher.matcher.name() == "__name__"
        };
        let name = self.name.as_ref().map(|name| name.text.as_str());
        name.or_else(|| Some(self.matchers.iter().find(equal)?.matcher.value()))
    }
}

/// A name with its span.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The span, including the quotes.
    pub span: Span,
    /// The unescaped name.
    pub text: String,
}

/// A matcher with its span.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMatcher {
    /// From the label name to the closing quote of the value.
    pub span: Span,
    /// The matcher.
    pub matcher: Matcher,
}

/// The modifiers that shift a selector or subquery in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shift {
    /// `offset 5m`; a positive offset shifts into the past.
    pub offset: Option<Duration>,
    /// `@ 1600000000`.
    pub at: Option<At>,
}

/// The `@` modifier.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// From the `@` on.
    pub span: Span,
    /// The time.
    pub time: AtTime,
}

/// The argument of `@`.
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
    /// The span.
    pub span: Span,
    /// The expression.
    pub kind: DurationKind,
}

impl Duration {
    /// The length in seconds, with those of `step()` and `range()`.
    ///
    /// # Errors
    /// The span of a division by zero.
    pub fn seconds(&self, step: f64, range: f64) -> Result<f64, Span> {
        let of = |inner: &Self| inner.seconds(step, range);
        Ok(match &self.kind {
            DurationKind::Literal(seconds) => *seconds,
            DurationKind::Step => step,
            DurationKind::Range => range,
            DurationKind::Negative(inner) => -of(inner)?,
            DurationKind::Paren(inner) => of(inner)?,
            DurationKind::MinOf(left, right) => of(left)?.min(of(right)?),
            DurationKind::MaxOf(left, right) => of(left)?.max(of(right)?),
            DurationKind::Binary(op, left, right) => {
                let (left, right) = (of(left)?, of(right)?);
                if matches!(op, BinaryOp::Div | BinaryOp::Mod) && right == 0.0 {
                    return Err(self.span);
                }
                op.apply(left, right)
            }
        })
    }
}

/// A duration expression. All values are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationKind {
    /// `5m` or `300`.
    Literal(f64),
    /// `step()`: the step of the query, 0 for an instant query.
    Step,
    /// `range()`: the time from the first to the last step of the query.
    Range,
    /// `-d`.
    Negative(Box<Duration>),
    /// `(d)`.
    Paren(Box<Duration>),
    /// `a + b`; also `-`, `*`, `/`, `%` and `^`.
    Binary(BinaryOp, Box<Duration>, Box<Duration>),
    /// `min_of(a, b)`.
    MinOf(Box<Duration>, Box<Duration>),
    /// `max_of(a, b)`.
    MaxOf(Box<Duration>, Box<Duration>),
}

/// A range selector.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSelector {
    /// The span, including the modifiers.
    pub span: Span,
    /// The selector; its `shift` holds the modifiers after the bracket.
    pub selector: Selector,
    /// The length of the range.
    pub range: Duration,
}

/// A subquery.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// The span, including the modifiers.
    pub span: Span,
    /// The expression evaluated at every step.
    pub expr: Box<Expr>,
    /// The length of the range.
    pub range: Duration,
    /// The step; `None` for the engine's default.
    pub step: Option<Duration>,
    /// `offset` and `@`.
    pub shift: Shift,
}
