//! Failed deliveries.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// The shortest part of a URL or credential that is removed from texts: shorter ones are common words.
const SHORTEST: usize = 8;
/// The shortest credential that is removed.
const SHORTEST_SECRET: usize = 4;

/// A message that was not delivered, or for which no answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The cause, by its kind.
    pub cause: Cause,
    /// The wait that the receiver asked for.
    pub retry_after: Option<Duration>,
    /// The cause in words, without any secret.
    pub text: String,
}

impl Failure {
    /// A failure without a wait.
    #[must_use]
    pub fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self {
            cause,
            retry_after: None,
            text: text.into(),
        }
    }

    /// The same without what may be secret: parts of the URL and credentials.
    pub(super) fn without<'a>(
        mut self,
        url: impl Into<Option<&'a Url>>,
        secrets: &[&SecretString],
    ) -> Self {
        self.text = hide(self.text, url.into(), secrets);
        self
    }
}

/// Replaces the secret parts of a URL and other credentials in a text: servers and libraries quote them.
pub(super) fn hide(text: String, url: Option<&Url>, secrets: &[&SecretString]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    if let Some(url) = url {
        parts.extend([url.as_str(), url.username()]);
        parts.extend(url.password());
        parts.extend(url.path_segments().into_iter().flatten());
        let query = url.query().unwrap_or_default();
        parts.extend(query.split(['&', '=']));
    }
    for secret in secrets {
        // `Bearer SECRET`.
        parts.extend(secret.expose_secret().split_whitespace());
    }
    parts.retain(|part| part.len() >= SHORTEST);
    let whole = secrets.iter().map(|secret| secret.expose_secret());
    parts.extend(whole.filter(|secret| secret.len() >= SHORTEST_SECRET));
    parts.retain(|part| text.contains(part));
    // A part can contain another one.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
        .into_iter()
        .fold(text, |text, part| text.replace(part, "***"))
}

/// The kinds of causes. They are the values of the label `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The receiver did not accept the credentials (401, 403, SMTP 535).
    Credentials,
    /// The address does not exist (404, 410).
    NotFound,
    /// The receiver limits the rate (429).
    RateLimited,
    /// The receiver refused the message (another 4xx, SMTP 5xx).
    Refused,
    /// The receiver failed (5xx, SMTP 4xx).
    Server,
    /// There was no connection: name, refusal, route.
    Unreachable,
    /// The certificate was not accepted, or the handshake failed.
    Tls,
    /// The connection ended or the deadline passed after the message was sent, so it may have been delivered.
    NoAnswer,
    /// The answer could not be understood.
    Answer,
    /// A template of the message failed.
    Template,
    /// A file of the settings, such as `url_file`, could not be read.
    Settings,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 11] = [
        Self::Credentials,
        Self::NotFound,
        Self::RateLimited,
        Self::Refused,
        Self::Server,
        Self::Unreachable,
        Self::Tls,
        Self::NoAnswer,
        Self::Answer,
        Self::Template,
        Self::Settings,
    ];

    /// The cause with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The value of the label `reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::Server => "server",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::NoAnswer => "no_answer",
            Self::Answer => "answer",
            Self::Template => "template",
            Self::Settings => "settings",
        }
    }

    /// Whether the same message may succeed later without a change of the settings.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Server | Self::Unreachable | Self::NoAnswer | Self::Answer
        )
    }

    /// Whether the receiver may have accepted the message.
    #[must_use]
    pub fn is_unsure(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Answer)
    }
}
