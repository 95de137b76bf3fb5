//! The errors of a database check.

use std::io;

use crate::failure::{Failure, FailureKind, io_failure};

/// The reason why a database could not be queried.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("TLS: {0}")]
    Tls(#[from] vigie_tls::Error),
    #[error("TLS: the server does not support TLS")]
    NoTls,
    /// The server answered with an error.
    #[error("{message}")]
    Server {
        kind: FailureKind,
        /// The server refuses this kind of connection before it requests a password.
        is_refusal: bool,
        message: String,
    },
    /// The server requests a password.
    #[error("the server requests a password, and {0}")]
    NoPassword(&'static str),
    /// The server requests an unsupported kind of login.
    #[error("the server requests an unsupported kind of login: {0}")]
    Method(String),
    /// No server matches `target_session_attrs`.
    #[error("the server does not match target_session_attrs: it {0}")]
    Unsuitable(&'static str),
    /// A response that violates the protocol.
    #[error("not understood: {0}")]
    Protocol(String),
    #[error("{}", sqlite_text(.0))]
    Sqlite(#[source] sqlx::Error),
}

impl Error {
    pub(super) fn protocol(text: impl Into<String>) -> Self {
        Self::Protocol(text.into())
    }

    /// Whether the server refuses user, password or database.
    pub(super) fn is_denial(&self) -> bool {
        let denied = FailureKind::Denied;
        matches!(self, Self::Server { kind, .. } if *kind == denied)
            || matches!(self, Self::NoPassword(_))
    }

    /// The failure of a check, with its place.
    pub(super) fn failure(&self, place: &str) -> Failure {
        use FailureKind as Kind;
        let kind = match self {
            Self::Io(error) => return io_failure(place, error),
            Self::Tls(vigie_tls::Error::Io(error)) => return io_failure(place, error),
            Self::Tls(_) | Self::NoTls => Kind::Tls,
            Self::Server { kind, .. } => *kind,
            Self::NoPassword(_) | Self::Method(_) => Kind::Denied,
            Self::Unsuitable(_) => Kind::NotReady,
            Self::Protocol(_) => Kind::Protocol,
            Self::Sqlite(error) => sqlite_kind(error),
        };
        Failure::new(kind, format_args!("{place}: {self}"))
    }
}

fn sqlite_text(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    }
}

/// The low byte of the code is the primary one: busy, locked, cannot open, not a database.
fn sqlite_kind(error: &sqlx::Error) -> FailureKind {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => FailureKind::NotReady,
        Some(14) => FailureKind::Unreachable,
        Some(26) => FailureKind::Protocol,
        _ => FailureKind::Other,
    }
}
