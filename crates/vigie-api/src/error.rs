//! Errors, in the envelope that clients of Prometheus know.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use vigie_promql::EvalError;
use vigie_promql::storage::StorageError;

use crate::json;

/// The types of errors.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request is invalid.
    BadData,
    /// The query is valid, but fails on these samples or exceeds a limit.
    Execution,
    /// It needs too many samples or too much memory.
    Cost,
    /// It took too long.
    Timeout,
    /// There is no such endpoint.
    NotFound,
    /// The form is too large.
    TooLarge,
    /// The samples are not yet readable.
    Unavailable,
    /// The samples cannot be read.
    Internal,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::Execution | Self::Cost => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::BadData | Self::TooLarge => "bad_data",
            Self::Execution | Self::Cost => "execution",
            Self::Timeout => "timeout",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// The message before the history is loaded.
pub(crate) const LOADING: &str = "the history is being loaded";

impl ApiError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    pub(crate) fn bad_data(message: impl Into<String>) -> Self {
        Self::new(Kind::BadData, message)
    }

    /// In Prometheus' words: `invalid parameter "step": …`.
    pub(crate) fn parameter(name: &str, reason: impl std::fmt::Display) -> Self {
        Self::bad_data(format!("invalid parameter {name:?}: {reason}"))
    }

    pub(crate) fn storage(error: &StorageError) -> Self {
        tracing::warn!(%error, "the samples cannot be read");
        let message = format!("the samples cannot be read: {error}");
        Self::new(Kind::Internal, message)
    }

    /// The error of evaluating `query`; clients may look for the texts, which are Prometheus'.
    pub(crate) fn evaluation(error: EvalError, query: &str) -> Self {
        let kind = match &error {
            EvalError::BadRange(_) => Kind::BadData,
            EvalError::TooManyPoints { limit, .. } => return Self::resolution(limit - 1),
            EvalError::TooManySamples { limit } => {
                let message = format!(
                    "query processing would load too many samples into memory in query execution: more than {limit}"
                );
                return Self::new(Kind::Cost, message);
            }
            EvalError::TooMuchToRead { .. } => Kind::Cost,
            EvalError::Interrupted => return Self::too_slow(),
            EvalError::Duration { span, message } => {
                let (line, column) = span.position(query);
                return Self::parameter("query", format!("{line}:{column}: {message}"));
            }
            EvalError::Execution { span, message } => {
                let (line, column) = span.position(query);
                return Self::new(Kind::Execution, format!("{line}:{column}: {message}"));
            }
            EvalError::Storage(error) => return Self::storage(error),
            _ => Kind::Execution,
        };
        Self::new(kind, error.to_string())
    }

    /// The query needs more than `limit` bytes.
    pub(crate) fn too_much_memory(limit: usize) -> Self {
        let message = format!(
            "query processing would take too much memory in query execution: more than {} (the setting query.max_memory)",
            size(limit)
        );
        Self::new(Kind::Cost, message)
    }

    /// Whether a limit of samples or memory was exceeded.
    pub(crate) fn is_of_cost(&self) -> bool {
        self.kind == Kind::Cost
    }

    /// Whether the timeout is exceeded.
    pub(crate) fn is_of_time(&self) -> bool {
        self.kind == Kind::Timeout
    }

    pub(crate) fn resolution(limit: usize) -> Self {
        Self::bad_data(format!(
            "exceeded maximum resolution of {} points per timeseries. Try decreasing the query resolution (?step=XX)",
            thousands(limit)
        ))
    }

    pub(crate) fn queue_full() -> Self {
        Self::new(Kind::Timeout, "query timed out in query queue")
    }

    pub(crate) fn loading() -> Self {
        Self::new(Kind::Unavailable, LOADING)
    }

    /// The answer where no JSON is read.
    pub(crate) fn into_text(self) -> Response {
        (self.kind.status(), self.message + "\n").into_response()
    }

    pub(crate) fn too_slow() -> Self {
        Self::new(Kind::Timeout, "query timed out in expression evaluation")
    }
}

/// `11,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in MiB (`24 MiB`) if it is a multiple of one, else in bytes.
pub(crate) fn size(bytes: usize) -> String {
    match bytes.is_multiple_of(1 << 20) {
        true => format!("{} MiB", bytes >> 20),
        false => format!("{bytes} bytes"),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut out = br#"{"status":"error","errorType":"#.to_vec();
        json::string(&mut out, self.kind.text());
        out.extend_from_slice(br#","error":"#);
        json::string(&mut out, &self.message);
        out.push(b'}');
        (self.kind.status(), json::HEADERS, out).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn digits_are_grouped_by_three() {
        let written = [0, 999, 1_000, 11_000, 1_234_567].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "11,000", "1,234,567"]);
    }
}
