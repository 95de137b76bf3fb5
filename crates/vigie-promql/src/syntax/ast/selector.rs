//! Selectors, ranges and subqueries, and where in time they look.

use super::{BinaryOp, Expr};
use crate::{
    matcher::{MatchOp, Matcher},
    syntax::span::Span,
};

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
            matcher.matcher.op() == MatchOp::Equal && matcher.matcher.name() == "__name__"
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
