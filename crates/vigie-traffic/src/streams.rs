//! Responses without a foreseeable end, such as event streams: how long they last says nothing about the app.

/// The media types of streams. A trailing `*` stands for any ending.
#[derive(Clone, Debug)]
pub(crate) struct StreamTypes(Vec<String>);

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
    pub(crate) fn new(types: &[String]) -> Self {
        Self(types.iter().map(|it| it.to_ascii_lowercase()).collect())
    }

    /// Whether a response with this status and `Content-Type` is a stream. Errors are ordinary responses.
    pub(crate) fn contain(&self, status: u16, content_type: Option<&str>) -> bool {
        let Some(content_type) = content_type.filter(|_| (200..300).contains(&status)) else {
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
    use super::*;

    #[test]
    fn streams_are_recognised_by_their_media_type() {
        let types = StreamTypes::new(&DEFAULTS.map(str::to_owned));
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
            let found = types.contain(status, Some(content_type));
            assert_eq!(found, expected, "{status} {content_type}");
        }
        assert!(!types.contain(200, None));
        assert!(!StreamTypes::new(&[]).contain(200, Some("text/event-stream")));
    }
}
