//! Responses whose duration depends on the client, such as event streams and large downloads: it says nothing about the app.

use crate::routes::{PatternError, Patterns};
use crate::{Body, Settings};

/// Why a response is a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// It ends when its client or the app wants.
    Endless,
    /// It is long.
    Large,
}

/// The rules by which a response is a stream.
#[derive(Debug)]
pub(crate) struct Rules {
    types: StreamTypes,
    routes: Patterns,
    bytes: u64,
}

impl Rules {
    /// # Errors
    /// If a pattern of a route is invalid.
    pub(crate) fn new(settings: &Settings) -> Result<Self, PatternError> {
        Ok(Self {
            types: StreamTypes::new(&settings.streams),
            routes: Patterns::new(&settings.stream_routes)?,
            bytes: settings.stream_bytes,
        })
    }

    /// Whether the successful responses to this request are streams, whatever they are.
    pub(crate) fn contain(&self, method: &str, path: &str) -> bool {
        self.routes.contain(method, path)
    }

    /// Judges the head of a response. Errors are ordinary responses.
    pub(crate) fn of(
        &self,
        is_stream_route: bool,
        status: u16,
        content_type: Option<&str>,
        body: Body,
    ) -> Option<Stream> {
        if !(200..300).contains(&status) {
            return None;
        }
        if is_stream_route || self.types.contain(content_type) {
            return Some(Stream::Endless);
        }
        matches!(body, Body::Length(length) if length > self.bytes).then_some(Stream::Large)
    }
}

/// The media types of streams. A trailing `*` stands for any ending.
#[derive(Clone, Debug)]
struct StreamTypes(Vec<String>);

/// The default of the length above which a response is a stream.
pub(crate) const LARGE: u64 = 10 * 1024 * 1024;

/// Server-sent events, JSON lines, gRPC and its web variants, camera images.
pub(crate) const DEFAULTS: [&str; 6] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/stream+json",
    "application/grpc*",
    "multipart/x-mixed-replace",
];

impl StreamTypes {
    fn new(types: &[String]) -> Self {
        Self(types.iter().map(|it| it.to_ascii_lowercase()).collect())
    }

    fn contain(&self, content_type: Option<&str>) -> bool {
        let Some(content_type) = content_type else {
            return false;
        };
        let name = content_type.split(';').next().unwrap_or_default().trim();
        self.0.iter().any(|known| match known.strip_suffix('*') {
            None => name.eq_ignore_ascii_case(known),
            Some(begin) => {
                let prefix = name.get(..begin.len());
                prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(begin))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rules(types: &[&str]) -> Rules {
        let settings = Settings {
            streams: types.iter().map(|&it| it.to_owned()).collect(),
            stream_routes: vec!["GET /poll/:room".to_owned(), "/exports/*".to_owned()],
            stream_bytes: 1_000,
            ..Settings::default()
        };
        Rules::new(&settings).unwrap()
    }

    #[test]
    fn streams_are_recognised_by_their_media_type() {
        let rules = rules(&DEFAULTS);
        for (status, content_type, expected) in [
            (200, "text/event-stream", true),
            (200, "Text/Event-Stream; charset=utf-8", true),
            (206, "application/grpc-web+proto", true),
            (200, "application/grpc", true),
            (200, "application/json", false),
            (200, "text/event-stream2", false),
            (200, "\u{e9}", false),
            (500, "text/event-stream", false),
            (204, "", false),
        ] {
            let found = rules.of(false, status, Some(content_type), Body::Chunked);
            let expected = expected.then_some(Stream::Endless);
            assert_eq!(found, expected, "{status} {content_type}");
        }
        assert_eq!(rules.of(false, 200, None, Body::Chunked), None);
        let none = self::rules(&[]);
        let event_stream = Some("text/event-stream");
        assert_eq!(none.of(false, 200, event_stream, Body::Chunked), None);
    }

    #[test]
    fn streams_are_recognised_by_their_route_and_length() {
        let rules = rules(&[]);
        for (method, path, expected) in [
            ("GET", "/poll/lobby", true),
            ("POST", "/poll/lobby", false),
            ("POST", "/exports/2026/all", true),
            ("GET", "/poll", false),
            ("GET", "*", false),
        ] {
            assert_eq!(rules.contain(method, path), expected, "{method} {path}");
        }
        let of = |is_route, status, body| rules.of(is_route, status, None, body);
        assert_eq!(of(true, 200, Body::None), Some(Stream::Endless));
        assert_eq!(of(true, 404, Body::None), None);
        assert_eq!(of(false, 200, Body::Length(1_000)), None);
        assert_eq!(of(false, 200, Body::Length(1_001)), Some(Stream::Large));
        assert_eq!(of(false, 500, Body::Length(1_001)), None);
    }
}
