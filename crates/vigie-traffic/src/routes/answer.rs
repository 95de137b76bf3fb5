//! The evidence that an answer gives about the route of its request.

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The app answered with this status.
    Status(u16),
    /// The app switched to another protocol, such as WebSocket.
    Switched,
    /// The app received the request and gave no usable answer; the code is the recorded one.
    Missing(u16),
    /// The gateway answered itself, or the client disconnected; the code is the recorded one.
    Own(u16),
}

/// Whether the answer came from a handler of the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A handler succeeded. The number is the weight of this answer.
    Success(u32),
    /// A handler most likely failed or refused.
    Failure(Failure),
    /// Anything may have answered: a fallback, a body parser, a rate limiter, the gateway.
    Nothing,
}

/// The failures that only a handler gives in most apps. An app that gives one of them on every path is recognised by
/// the number of paths: see [`Failing`](super::failing::Failing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// 401, 402, 403: some apps check permissions before routing.
    Permission,
    /// 405: some apps answer it on every path.
    Method,
    /// Codes about the content of the request, which depend on what the route expects.
    Content,
    /// 500 to 599, and requests that the app never answered.
    Server,
}

impl Failure {
    pub(super) const ALL: [Self; 4] = [Self::Permission, Self::Method, Self::Content, Self::Server];
}

/// A success of a method that changes something, or of an upgrade: fallbacks and static files do not answer these with
/// success, so fewer are needed.
const STRONG: u32 = 3;

impl Answer {
    /// The recorded code.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Switched => 101,
            Self::Status(code) | Self::Missing(code) | Self::Own(code) => code,
        }
    }

    /// An answer to `OPTIONS` is no evidence: a CORS middleware answers it on every path.
    pub(super) fn evidence(self, method: &str) -> Evidence {
        if method == "OPTIONS" {
            return Evidence::Nothing;
        }
        match self {
            Self::Switched => Evidence::Success(STRONG),
            Self::Status(200..=399) => match method {
                "POST" | "PUT" | "PATCH" | "DELETE" => Evidence::Success(STRONG),
                _ => Evidence::Success(1),
            },
            Self::Status(401..=403) => Evidence::Failure(Failure::Permission),
            Self::Status(405) => Evidence::Failure(Failure::Method),
            Self::Status(406 | 409 | 412 | 415 | 422 | 423 | 424 | 428) => {
                Evidence::Failure(Failure::Content)
            }
            Self::Status(500..=599) | Self::Missing(_) => Evidence::Failure(Failure::Server),
            Self::Status(_) | Self::Own(_) => Evidence::Nothing,
        }
    }
}
