//! The bodies of requests: bounded, in time, JSON.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use super::MAX_BODY_BYTES;
use super::answer::Refusal;
use crate::Time;

/// A client has this long to send its body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body. `name` is the name of the parameter in Alertmanager's description of its API.
pub(super) async fn read<T: DeserializeOwned>(
    request: Request,
    name: &'static str,
) -> Result<T, Refusal> {
    let (head, body) = request.into_parts();
    let kind = head.headers.get(CONTENT_TYPE);
    let kind = kind.map_or("application/octet-stream", |kind| {
        kind.to_str().unwrap_or("?")
    });
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // A page of another site cannot send this type without a preflight request (CORS).
    if !kind.eq_ignore_ascii_case("application/json") {
        let text = format!("unsupported media type {kind:?}, only [application/json] are allowed");
        return Err(Refusal::early(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let body = bytes(body, MAX_BODY_BYTES).await;
    let body =
        body.map_err(|incomplete| Refusal::early(incomplete.status(), incomplete.to_string()));
    parse(&body?, name)
}

/// Reads at most `most` bytes of a body, for at most 10 seconds.
pub(super) async fn bytes(body: Body, most: usize) -> Result<Bytes, Incomplete> {
    let read = timeout(TIMEOUT, to_bytes(body, most)).await;
    read.map_err(|_| Incomplete::Late)?
        .map_err(|_| Incomplete::Large(most))
}

/// A body that did not arrive as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Incomplete {
    #[error("the body did not arrive in time")]
    Late,
    #[error("the body is cut short or longer than {0} bytes")]
    Large(usize),
}

impl Incomplete {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// Reads the JSON of a body; the parser bounds its depth.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], name: &str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let text = format!("parsing {name} body from \"\" failed, because {error}");
        Refusal::early(StatusCode::BAD_REQUEST, text)
    })
}

/// An optional time: RFC 3339, or a date and time in UTC. An empty text counts as missing.
pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let text = text.as_deref().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = parse_time(text);
    let wrong = || format!("{text:?} is no time; RFC 3339 is accepted, as in 2026-11-24T14:30:00Z");
    let time = parsed.ok_or_else(|| serde::de::Error::custom(wrong()))?;
    // Go writes its zero time for a missing one.
    Ok(Some(time).filter(|time| *time != ZERO))
}

/// Go's zero time: the year 1.
const ZERO: Time = -62_135_596_800_000;

fn parse_time(text: &str) -> Option<Time> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let civil = text.parse::<DateTime>().ok();
    let civil = civil.or_else(|| text.parse::<Date>().ok().map(DateTime::from));
    let zoned = civil?.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_clients() {
        for (text, time) in [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000)),
            (
                "2023-11-14T23:13:20.123456789+01:00",
                Some(1_700_000_000_123),
            ),
            ("2023-11-14 22:13:20Z", Some(1_700_000_000_000)),
            ("2023-11-14T22:13:20", Some(1_700_000_000_000)),
            ("2023-11-14", Some(1_699_920_000_000)),
            ("0001-01-01T00:00:00Z", Some(ZERO)),
            ("yesterday", None),
            ("1700000000", None),
        ] {
            assert_eq!(parse_time(text), time, "{text}");
        }
    }
}
