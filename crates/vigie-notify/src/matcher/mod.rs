//! Alertmanager's matchers: `severity = "critical"`, `!=`, `=~`, `!~`.
//!
//! Alertmanager has two syntaxes. The newer one allows any UTF-8 in names; the older one is more lenient with values. As
//! Alertmanager does, a text is read by both: where both accept it and disagree, or only the older one accepts it, the
//! older one decides.

mod classic;
mod quote;
#[cfg(test)]
mod tests;
mod utf8;

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vigie_promql::Labels;
pub use vigie_promql::MatchOp;

use vigie_alerts::template::exec::quote;

/// A condition on the value of one label. A label that an alert lacks has the value `""`.
#[derive(Clone)]
pub struct Matcher {
    name: String,
    value: String,
    /// Compares; its expression can be wrapped, so the text is kept apart.
    test: vigie_promql::Matcher,
}

/// A syntax error in a list of matchers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MatcherError {
    /// The bytes of the text in question.
    pub span: Range<usize>,
    /// The text found and the syntax expected.
    pub message: String,
}

impl Matcher {
    /// A matcher. The value of `=~` and `!~` is a regular expression in RE2 syntax, anchored at both ends.
    ///
    /// # Errors
    /// The mistake in the regular expression.
    pub fn new(
        name: impl Into<String>,
        op: MatchOp,
        value: impl Into<String>,
    ) -> Result<Self, String> {
        let (name, value) = (name.into(), value.into());
        // Alertmanager's `.` does not match a line break, Prometheus' does.
        let pattern = match op {
            MatchOp::Match | MatchOp::NotMatch if value.contains('.') => format!("(?-s:{value})"),
            _ => value.clone(),
        };
        let test = vigie_promql::Matcher::new("", op, pattern)?;
        Ok(Self { name, value, test })
    }

    /// The label's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The comparison.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        self.test.op()
    }

    /// The value or the regular expression.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether it matches these labels.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.get(&self.name))
    }

    /// Whether it matches this value of its label.
    #[must_use]
    pub fn matches_value(&self, value: &str) -> bool {
        self.test.matches(value)
    }

    fn order(&self) -> (&str, &str, u8) {
        let op = match self.op() {
            MatchOp::Equal => 0,
            MatchOp::NotEqual => 1,
            MatchOp::Match => 2,
            MatchOp::NotMatch => 3,
        };
        (&self.name, &self.value, op)
    }
}

impl fmt::Display for Matcher {
    /// As Alertmanager writes it in the key of a group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.op().text();
        if self.name.is_empty() || self.name.contains(utf8::is_reserved) {
            return write!(f, "{}{op}{}", quote(&self.name), quote(&self.value));
        }
        let value = self.value.replace('\\', "\\\\").replace('\n', "\\n");
        write!(f, "{}{op}\"{}\"", self.name, value.replace('"', "\\\""))
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Matcher {}

/// Matchers that must all match; an empty list matches everything. Sorted by name, then by value.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// These matchers.
    #[must_use]
    pub fn new(mut matchers: Vec<Matcher>) -> Self {
        matchers.sort_by(|a, b| a.order().cmp(&b.order()));
        Self(matchers)
    }

    /// Whether all of them match these labels.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|matcher| matcher.matches(labels))
    }

    /// The matchers.
    #[must_use]
    pub fn as_slice(&self) -> &[Matcher] {
        &self.0
    }
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, matcher) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{matcher}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads matchers between commas, in braces or not.
///
/// # Errors
/// The mistake and its position, in the newer syntax.
pub fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    match (utf8::parse(text), classic::parse(text)) {
        (Ok(newer), None) => Ok(newer),
        (Ok(newer), Some(older)) if newer == older => Ok(newer),
        (_, Some(older)) => Ok(older),
        (Err(error), None) => Err(error),
    }
}

/// Reads one matcher, without braces; in the older syntax its value extends to the end and may contain commas.
///
/// # Errors
/// The mistake and its position, in the newer syntax.
pub fn parse_one(text: &str) -> Result<Matcher, MatcherError> {
    let mistake = |span, message: &str| MatcherError {
        span,
        message: message.to_owned(),
    };
    if text.starts_with('{') || text.ends_with('}') {
        return Err(mistake(0..text.len(), "one matcher has no braces"));
    }
    let newer = utf8::parse(text).and_then(|mut matchers| match (matchers.pop(), matchers.pop()) {
        (Some(matcher), None) => Ok(matcher),
        (None, _) => Err(mistake(0..text.len(), "no matcher")),
        _ => Err(mistake(0..text.len(), "more than one matcher")),
    });
    match (newer, classic::matcher(text)) {
        (_, Some(older)) => Ok(older),
        (newer, None) => newer,
    }
}

/// The shape of a matcher in Alertmanager's API.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let op = self.op();
        Shape {
            name: self.name.clone(),
            value: self.value.clone(),
            is_regex: matches!(op, MatchOp::Match | MatchOp::NotMatch),
            is_equal: matches!(op, MatchOp::Equal | MatchOp::Match),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        let op = match (shape.is_regex, shape.is_equal) {
            (false, true) => MatchOp::Equal,
            (false, false) => MatchOp::NotEqual,
            (true, true) => MatchOp::Match,
            (true, false) => MatchOp::NotMatch,
        };
        Self::new(shape.name, op, shape.value).map_err(serde::de::Error::custom)
    }
}
