//! Label matchers: `name = "value"`, `!=`, `=~`, `!~`.

use std::fmt;

use crate::re2::{self, Regexp};

/// The operator of a [`Matcher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends.
    Match,
    /// `!~`, anchored at both ends.
    NotMatch,
}

impl MatchOp {
    /// The operator as written in PromQL.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Match => "=~",
            Self::NotMatch => "!~",
        }
    }
}

/// A condition on the value of one label. A missing label has the value `""`.
#[derive(Clone)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regexp>,
}

impl Matcher {
    /// Creates a matcher. The value of `=~` and `!~` is a regular expression in RE2 syntax.
    ///
    /// # Errors
    ///
    /// The regular expression is invalid or compiles to more than 4 MiB. The text gives the reason.
    pub fn new(
        name: impl Into<String>,
        op: MatchOp,
        value: impl Into<String>,
    ) -> Result<Self, String> {
        let value = value.into();
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Match | MatchOp::NotMatch => {
                Some(Regexp::new(&value).map_err(|error| error.to_string())?)
            }
        };
        Ok(Self {
            name: name.into(),
            op,
            value,
            regex,
        })
    }

    /// Creates an equality matcher, which cannot fail.
    #[must_use]
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            op: MatchOp::Equal,
            value: value.into(),
            regex: None,
        }
    }

    /// The label name; `__name__` for the metric name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operator.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value to compare with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The part of the regular expression that Prometheus 2.42 refuses and newer versions accept.
    #[must_use]
    pub fn newer_syntax(&self) -> Option<&'static str> {
        self.regex.as_ref().and_then(|_| re2::newer(&self.value))
    }

    /// The approximate size of the compiled regular expression, in bytes.
    #[must_use]
    pub fn regex_bytes(&self) -> usize {
        self.regex.as_ref().map_or(0, Regexp::bytes)
    }

    /// Whether a label with this value satisfies the condition.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        match self.op {
            MatchOp::Equal => self.value == value,
            MatchOp::NotEqual => self.value != value,
            MatchOp::Match => self.is_match(value),
            MatchOp::NotMatch => !self.is_match(value),
        }
    }

    fn is_match(&self, value: &str) -> bool {
        self.regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(value))
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:?}", self.name, self.op.text(), self.value)
    }
}
