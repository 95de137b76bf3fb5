//! The reason why a check failed: one line without secrets.

use std::fmt;

use vigie_redis::redact::{self, Secrets};

/// The maximum length of the text; a server that sends garbage must not fill a page or a log.
const MAX_CHARS: usize = 300;
/// The maximum length, in bytes, that is searched for secrets; the rest is dropped.
const MAX_RAW: usize = 8 << 10;

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// There was no connection.
    Unreachable,
    /// The connection was closed or reset.
    Broken,
    /// The server refuses the login, or a permission is missing.
    Denied,
    /// The server replies that it cannot serve now.
    NotReady,
    /// The server has reached its limit of connections.
    Full,
    /// The response does not follow the protocol.
    Protocol,
    /// The TLS connection could not be established.
    Tls,
    /// A timeout.
    TimedOut,
    /// There has been no result for too long.
    Stale,
    /// None of these.
    Other,
}

impl FailureKind {
    /// The advice for this kind of failure.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "is it running, and are host and port right?",
            Self::Broken => "did the server restart, or does something in between cut connections?",
            Self::Denied => "check user, password, database and what this user may do",
            Self::NotReady => "wait, or look at the server's log",
            Self::Full => "raise the server's connection limit, or find the clients that hold them",
            Self::Protocol => "does another kind of server listen at this address?",
            Self::Tls => "check the certificates, and whether the server speaks TLS at all",
            Self::TimedOut => "is the server overloaded or frozen, or a firewall in between?",
            Self::Stale => "Vigie itself is stuck: look at its log",
            Self::Other => "look at the server's log",
        }
    }
}

/// The reason why a check failed: a kind, and one line of text without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    /// The original text. Secrets must be masked before control characters are replaced and the text is truncated.
    raw: String,
    text: String,
    advice: Option<&'static str>,
}

impl Failure {
    /// Creates a failure. The text is reduced to one short line, and credentials in addresses are masked.
    #[must_use]
    pub fn new(kind: FailureKind, text: impl fmt::Display) -> Self {
        let mut raw = text.to_string();
        raw.truncate(raw.floor_char_boundary(MAX_RAW));
        Self {
            kind,
            text: tidy(&redact::addresses(&raw)),
            raw,
            advice: None,
        }
    }

    /// The same failure with these secrets masked, in any encoding.
    #[must_use]
    pub(crate) fn without(self, secrets: &Secrets) -> Self {
        let failure = Self::new(self.kind, secrets.scrub(&self.raw));
        failure.advise(self.advice)
    }

    /// Replaces the advice for its kind.
    #[must_use]
    pub(crate) fn advise(mut self, advice: Option<&'static str>) -> Self {
        self.advice = advice;
        self
    }

    /// The advice to the reader.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        self.advice.unwrap_or_else(|| self.kind.advice())
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The text, on one line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Failure {}

/// A failure to connect, read or write, with its place.
pub(crate) fn io_failure(place: &str, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind as Io;
    let kind = match error.kind() {
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof => {
            FailureKind::Broken
        }
        Io::TimedOut => FailureKind::TimedOut,
        Io::InvalidData => FailureKind::Tls,
        _ => FailureKind::Unreachable,
    };
    // Errors of the operating system are shown without their number, others (resolver, TLS) in full.
    match error.raw_os_error() {
        Some(_) if error.kind().to_string() != "uncategorized error" => {
            Failure::new(kind, format_args!("{place}: {}", error.kind()))
        }
        _ => Failure::new(kind, format_args!("{place}: {error}")),
    }
}

fn tidy(text: &str) -> String {
    let mut clean = String::new();
    for (count, char) in text.trim().chars().enumerate() {
        if count == MAX_CHARS {
            clean.push('…');
            break;
        }
        clean.push(if char.is_control() { ' ' } else { char });
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        Failure::new(FailureKind::Other, raw).to_string()
    }

    #[test]
    fn userinfo_never_stays() {
        for raw in [
            "cannot open postgres://vigie:pa:ss/w@rd@db:5432/game now",
            "redis://:pa:ss/w@rd@cache",
            "a://x b://u:pa:ss/w@rd@h",
        ] {
            let clean = text(raw);
            assert!(
                !clean.contains("pa:ss") && !clean.contains("rd@"),
                "{clean}"
            );
        }
        assert_eq!(
            text("see http://h/a and mail me@x"),
            "see http://h/a and mail me@x"
        );
        assert_eq!(text("postgres://u:p@db:5432/x"), "postgres://***@db:5432/x");
    }

    #[test]
    fn texts_are_one_short_line() {
        assert_eq!(text(" a\r\nb\u{1b}[31mc "), "a  b [31mc");
        assert_eq!(text(&"é".repeat(1_000)).chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn known_secrets_are_found_before_the_text_is_tidied() {
        let mut secrets = Secrets::default();
        secrets.add("hunter\n2");
        secrets.add(&"long".repeat(20));
        let scrubbed = |raw: &str| {
            let failure = Failure::new(FailureKind::Denied, raw).without(&secrets);
            assert!(!format!("{failure:?}").contains("hunter"));
            failure.text().to_owned()
        };
        assert_eq!(scrubbed("no hunter\n2 here"), "no *** here");
        assert_eq!(scrubbed(r#"no "hunter\n2" here"#), r#"no "***" here"#);
        // Its end would be truncated.
        let late = format!("{}{}", "x".repeat(MAX_CHARS - 40), "long".repeat(20));
        assert!(scrubbed(&late).ends_with("x***"));
    }

    #[test]
    fn io_errors_name_the_place() {
        let refused = std::io::Error::from_raw_os_error(111);
        let failure = io_failure("db:5432", &refused);
        assert_eq!(failure.text(), "db:5432: connection refused");
        assert_eq!(failure.kind(), FailureKind::Unreachable);
        let made_up = std::io::Error::other("no such name");
        assert_eq!(
            io_failure("db:5432", &made_up).text(),
            "db:5432: no such name"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_bounded_and_on_one_line(raw in ".*") {
            let clean = text(&raw);
            assert!(clean.chars().count() <= MAX_CHARS + 1);
            assert!(!clean.chars().any(char::is_control));
        }
    }
}
