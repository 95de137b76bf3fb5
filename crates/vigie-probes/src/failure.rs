//! Why a check failed, in one line that holds no secret.

use std::fmt;

/// The longest text kept; a server that answers garbage must not fill a page or a log.
const MAX_CHARS: usize = 300;

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// There was no connection.
    Unreachable,
    /// The connection broke off.
    Broken,
    /// The server refuses the login, or a permission.
    Denied,
    /// The server answers that it cannot serve now.
    NotReady,
    /// The server has reached its limit of connections.
    Full,
    /// The answer does not follow the protocol.
    Protocol,
    /// The encrypted connection could not be made.
    Tls,
    /// There was no answer in time.
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

/// Why a check failed: a kind, and one line of text without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    text: String,
    advice: Option<&'static str>,
}

impl Failure {
    /// A failure. The text is put on one line, shortened, and stripped of any `user:password@`.
    #[must_use]
    pub fn new(kind: FailureKind, text: impl fmt::Display) -> Self {
        Self {
            kind,
            text: tidy(&strip_userinfo(&text.to_string())),
            advice: None,
        }
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

impl std::error::Error for Failure {}

/// A failure to connect, read or write, at a place.
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
    // Errors of the system are shown without their number, others (resolver, TLS) in full.
    match error.raw_os_error() {
        Some(_) if error.kind().to_string() != "uncategorized error" => {
            Failure::new(kind, format_args!("{place}: {}", error.kind()))
        }
        _ => Failure::new(kind, format_args!("{place}: {error}")),
    }
}

/// Passwords, decoded and as they stand in the URL, which no text may hold.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: &str) {
        if !secret.is_empty() && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            // The longest first: one may hold another.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// The same failure without secrets in its text, even if the server repeated one.
    pub(crate) fn scrub(&self, mut failure: Failure) -> Failure {
        for secret in &self.0 {
            if failure.text.contains(secret) {
                failure.text = failure.text.replace(secret, "***");
            }
        }
        failure
    }
}

/// Replaces the text between `://` and the last `@` of the same word.
fn strip_userinfo(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        clean.push_str(head);
        let word = tail.split(char::is_whitespace).next().unwrap_or_default();
        rest = match word.rfind('@') {
            Some(end) => {
                clean.push_str("***");
                &tail[end..]
            }
            None => tail,
        };
    }
    clean + rest
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
    fn known_secrets_are_replaced_wherever_they_stand() {
        let mut secrets = Secrets::default();
        for secret in ["hunter2", "", "hunter2!", "hunter2"] {
            secrets.add(secret);
        }
        let told = Failure::new(FailureKind::Denied, "no hunter2! and no hunter2 here");
        assert_eq!(secrets.scrub(told).text(), "no *** and no *** here");
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
