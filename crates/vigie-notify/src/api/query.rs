//! The parameters of a request.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use url::form_urlencoded;
use vigie_promql::Labels;

use super::answer::Refusal;
use crate::matcher::{self, MatchOp, Matcher};

/// The parameters of the URL.
pub(super) struct Query(Vec<(String, String)>);

/// The most matchers and parameters in a request.
const MOST: usize = 100;

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The last value of a parameter; an empty one counts as missing.
    fn last(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rfind(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// A flag, true by default. As for Alertmanager, an unknown word is false.
    pub(super) fn flag(&self, name: &str) -> bool {
        const TRUE: [&str; 10] = [
            "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled",
        ];
        let value = self.last(name);
        value.is_none_or(|value| TRUE.iter().any(|word| value.eq_ignore_ascii_case(word)))
    }

    /// The matchers of a parameter that can be repeated.
    pub(super) fn matchers(&self, name: &str) -> Result<Filter, Refusal> {
        let given = self.0.iter().filter(|(known, _)| known == name);
        let mut matchers = Vec::new();
        for (_, text) in given {
            if matchers.len() >= MOST {
                return Err(Refusal::bad(format!(
                    "at most {MOST} matchers are accepted"
                )));
            }
            let matcher = matcher::parse_one(text);
            matchers.push(matcher.map_err(|error| Refusal::bad(error.to_string()))?);
        }
        Ok(Filter(matchers))
    }

    /// The regular expression of receivers.
    pub(super) fn receiver(&self) -> Result<Option<Matcher>, Refusal> {
        let Some(pattern) = self.last("receiver") else {
            return Ok(None);
        };
        let matcher = Matcher::new("", MatchOp::Match, pattern);
        matcher.map(Some).map_err(|error| {
            let text = format!("failed to parse receiver param: {error}");
            Refusal::text(StatusCode::BAD_REQUEST, text)
        })
    }
}

/// Matchers that select alerts.
pub(super) struct Filter(Vec<Matcher>);

impl Filter {
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|matcher| matcher.matches(labels))
    }

    /// Whether they match the labels of a receiver. As in Alertmanager 0.33, its one label is its name.
    pub(super) fn matches_receiver(&self, name: &str) -> bool {
        self.0.is_empty() || self.matches(&Labels::new([("name", name)]))
    }

    pub(super) fn as_slice(&self) -> &[Matcher] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_as_alertmanager_reads_them() {
        let query = Query::parse("a=1&b=maybe&c=&d=false&d=TRUE&e=0");
        let flags = ["a", "b", "c", "d", "e", "f"].map(|name| query.flag(name));
        assert_eq!(flags, [true, false, true, true, false, true]);
    }
}
