//! Answers of receivers, and the failures that they mean.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::super::failure::{Cause, Failure, hide};
use super::super::text::excerpt;

/// The longest wait that a receiver can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// The longest part of an answer in an error, in characters.
const SHOWN: usize = 200;

/// The answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The server, as host and port.
    pub(crate) server: String,
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// The target of a redirect.
    pub(crate) location: Option<String>,
    /// The beginning of the body.
    pub(crate) body: String,
}

impl Answer {
    /// A failure unless the status is a success.
    pub(crate) fn judge(&self) -> Result<(), Failure> {
        let cause = match self.status.as_u16() {
            200..=299 => return Ok(()),
            401 | 403 => Cause::Credentials,
            404 | 410 => Cause::NotFound,
            429 => Cause::RateLimited,
            500..=599 => Cause::Server,
            _ => Cause::Refused,
        };
        Err(self.failure(cause))
    }

    /// As [`Self::judge`], for a service that never answers with a page for people: such a page is the answer of a login
    /// form or a proxy.
    pub(crate) fn judge_no_page(&self) -> Result<(), Failure> {
        self.judge()?;
        match self.body.trim_start().starts_with('<') {
            true => Err(self.failure(Cause::Answer)),
            false => Ok(()),
        }
    }

    /// A failure that quotes the beginning of the answer.
    pub(crate) fn failure(&self, cause: Cause) -> Failure {
        let Self { server, status, .. } = self;
        let said = excerpt(&self.body, SHOWN);
        let text = match said.is_empty() {
            true => format!("{server} answered {status}"),
            false => format!("{server} answered {status}: {said}"),
        };
        Failure {
            cause,
            retry_after: self.retry_after,
            text,
        }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// The answer in a line, for a person.
    pub(crate) fn summary(&self) -> String {
        self.failure(Cause::Answer).text
    }

    /// Removes secrets from the texts that errors quote.
    pub(super) fn hide(&mut self, url: &Url, secrets: &[&SecretString]) {
        self.body = hide(std::mem::take(&mut self.body), Some(url), secrets);
    }
}

/// A number of seconds, bounded; none if it is no such number.
pub(crate) fn seconds(seconds: f64) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(wait.min(LONGEST_WAIT))
}

/// `Retry-After` in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    retry_after_text(headers.get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

fn retry_after_text(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return seconds(number);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = SystemTime::from(date).duration_since(now);
    Some(wait.unwrap_or_default().min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_in_seconds_and_until_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 90);
        for (text, expected) in [
            ("30", Some(30)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("99999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(90)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(86_400)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            let wait = retry_after_text(text, now);
            assert_eq!(wait, expected.map(Duration::from_secs), "{text}");
        }
    }
}
