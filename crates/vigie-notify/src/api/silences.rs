//! `/silences` and `/silence/ID`.

use std::cmp::Reverse;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, json};
use super::query::Query;
use super::shape::GettableSilence;
use super::{Api, body};
use crate::dispatch::Dispatcher;
use crate::matcher::{MatchOp, Matcher};
use crate::silence::{Draft, Silence, SilenceError, State as SilenceState};
use crate::{Time, random};

/// A silence as a client sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostableSilence {
    id: Option<String>,
    matchers: Option<Vec<PostableMatcher>>,
    #[serde(default, deserialize_with = "body::time")]
    starts_at: Option<Time>,
    #[serde(default, deserialize_with = "body::time")]
    ends_at: Option<Time>,
    created_by: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostableMatcher {
    name: Option<String>,
    value: Option<String>,
    is_regex: Option<bool>,
    is_equal: Option<bool>,
}

pub(super) async fn list(State(api): State<Api>, query: Query) -> Result<Response, Refusal> {
    let filter = query.matchers("filter")?;
    let wanted = [
        (SilenceState::Active, query.flag("active")),
        (SilenceState::Pending, query.flag("pending")),
        (SilenceState::Expired, query.flag("expired")),
    ];
    let read = move |dispatcher: &Dispatcher, now| {
        let shown = |silence: &&Silence| {
            let own = silence.matchers.as_slice();
            wanted.contains(&(silence.state(now), true))
                && filter
                    .as_slice()
                    .iter()
                    .all(|matcher| own.contains(matcher))
        };
        let found = dispatcher.silences().iter().filter(shown).cloned();
        (found.collect::<Vec<_>>(), now)
    };
    let render = |(mut silences, now): (Vec<Silence>, Time)| {
        silences.sort_by_key(|silence| order(silence, now));
        let silences = silences.iter();
        let silences = silences.map(|silence| GettableSilence::new(silence, now));
        json(&silences.collect::<Vec<_>>())
    };
    api.show(read, render).await
}

/// Active silences first, by their end; pending ones by their start; then the expired ones, the last one first.
fn order(silence: &Silence, now: Time) -> (u8, Time, Reverse<Time>) {
    match silence.state(now) {
        SilenceState::Active => (1, silence.ends_at, Reverse(0)),
        SilenceState::Pending => (2, silence.starts_at, Reverse(0)),
        SilenceState::Expired => (3, 0, Reverse(silence.ends_at)),
    }
}

pub(super) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = uuid(&id)?.to_owned();
    let read = move |dispatcher: &Dispatcher, now| (dispatcher.silences().get(&id).cloned(), now);
    let render = |(silence, now): (Option<Silence>, Time)| {
        let silence = silence.ok_or_else(Refusal::not_found)?;
        json(&GettableSilence::new(&silence, now))
    };
    api.show(read, render).await
}

pub(super) async fn expire(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = uuid(&id)?.to_owned();
    let expired = api
        .handle
        .change(move |dispatcher, now| dispatcher.silences_mut().expire(now, &id))
        .await;
    expired
        .map(|()| StatusCode::OK)
        .map_err(|_| Refusal::not_found())
}

pub(super) async fn set(State(api): State<Api>, request: Request) -> Result<Response, Refusal> {
    let posted: Option<PostableSilence> = body::read(request, "silence").await?;
    let draft = draft(posted)?;
    let new = random::uuid().map_err(|_| Refusal::failed())?;
    let set = api
        .handle
        .change(move |dispatcher, now| dispatcher.silences_mut().set(now, draft, || new));
    let id = set.await.map_err(|error| match error {
        SilenceError::NotFound => Refusal::text(StatusCode::NOT_FOUND, error.to_string()),
        SilenceError::Backwards | SilenceError::Past => {
            Refusal::bad(format!("Failed to create silence: {error}"))
        }
        _ => Refusal::bad(format!("invalid silence: {error}")),
    })?;
    json(&json!({"silenceID": id}))
}

/// The silence that was sent.
fn draft(posted: Option<PostableSilence>) -> Result<Draft, Refusal> {
    let missing = |name: &str| Refusal::invalid(602, format!("{name} in body is required"));
    let posted = posted.ok_or_else(|| missing("comment"))?;
    let comment = posted.comment.ok_or_else(|| missing("comment"))?;
    let created_by = posted.created_by.ok_or_else(|| missing("createdBy"))?;
    let ends_at = posted.ends_at.ok_or_else(|| missing("endsAt"))?;
    let given = posted.matchers.ok_or_else(|| missing("matchers"))?;
    if given.is_empty() {
        let text = "matchers in body should have at least 1 items";
        return Err(Refusal::invalid(612, text));
    }
    let mut parts = Vec::new();
    for (at, matcher) in given.into_iter().enumerate() {
        let missing = |name: &str| missing(&format!("matchers.{at}.{name}"));
        let regex = matcher.is_regex.ok_or_else(|| missing("isRegex"))?;
        let name = matcher.name.ok_or_else(|| missing("name"))?;
        let value = matcher.value.ok_or_else(|| missing("value"))?;
        parts.push((name, operation(regex, matcher.is_equal), value));
    }
    let starts_at = posted.starts_at.ok_or_else(|| missing("startsAt"))?;
    let mut matchers = Vec::new();
    for (at, (name, op, value)) in parts.into_iter().enumerate() {
        let matcher = Matcher::new(name, op, value).map_err(|error| {
            Refusal::bad(format!(
                "invalid silence: invalid label matcher {at} in set 0: {error}"
            ))
        });
        matchers.push(matcher?);
    }
    Ok(Draft {
        id: posted.id,
        matchers,
        starts_at,
        ends_at,
        created_by,
        comment,
    })
}

fn operation(regex: bool, equal: Option<bool>) -> MatchOp {
    match (regex, equal.unwrap_or(true)) {
        (false, true) => MatchOp::Equal,
        (false, false) => MatchOp::NotEqual,
        (true, true) => MatchOp::Match,
        (true, false) => MatchOp::NotMatch,
    }
}

/// The identifier, if it has the form of one.
fn uuid(id: &str) -> Result<&str, Refusal> {
    let parts = [8, 4, 4, 4, 12];
    let given: Vec<&str> = id.split('-').collect();
    let hexadecimal = |part: &&str| part.bytes().all(|digit| digit.is_ascii_hexdigit());
    let formed = given.iter().map(|part| part.len()).eq(parts) && given.iter().all(hexadecimal);
    let text = || format!("silenceID in path must be of type uuid: {id:?}");
    formed
        .then_some(id)
        .ok_or_else(|| Refusal::invalid(601, text()))
}

/// Reads any bytes as a body of POST `/silences`, for the fuzzer.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let posted: Result<Option<PostableSilence>, _> = body::parse(bytes, "silence");
    if let Ok(posted) = posted {
        let _ = draft(posted);
    }
}
