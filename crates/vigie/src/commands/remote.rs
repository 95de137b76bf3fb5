//! Requests to a running Vigie, or to a Prometheus or an Alertmanager, and their failures.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use http::{Method, StatusCode};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::de::DeserializeOwned;
pub(super) use vigie_query::Labels;
use vigie_query::{Server, Target, TargetError, reason};

/// Wrong usage or settings.
const USAGE: u8 = 2;

/// The label with the name of an alert.
const ALERT_NAME: &str = "alertname";

/// The reasons for which a command fails.
pub(super) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The server or its settings are wrong.
    Target(TargetError),
    /// The request failed.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Prints a failure of the command `name`. The exit code is 2 for wrong usage.
///
/// # Errors
/// If the request failed.
pub(super) fn finish(
    name: &str,
    result: Result<ExitCode, Failure>,
    coloured: bool,
) -> Result<ExitCode> {
    let message = match result {
        Ok(code) => return Ok(code),
        Err(Failure::Other(error)) => return Err(error),
        Err(Failure::Usage(message) | Failure::Target(TargetError::Usage(message))) => {
            format!("{name}: {message}")
        }
        Err(Failure::Target(TargetError::Settings(error))) => error.render(coloured),
    };
    let _ = writeln!(io::stderr(), "{}", message.trim_end());
    Ok(ExitCode::from(USAGE))
}

/// A server, and a runtime for the requests to it.
pub(super) struct Remote {
    server: Server,
    runtime: tokio::runtime::Runtime,
}

/// The answer of Prometheus' API.
#[derive(serde::Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Remote {
    /// The server that the flags or the configuration name.
    pub(super) fn of(config: Option<PathBuf>, target: &Target) -> Result<Self, Failure> {
        let server = target.server(config).map_err(Failure::Target)?;
        let runtime = vigie_query::runtime()?;
        Ok(Self { server, runtime })
    }

    /// The URL of the server.
    pub(super) fn place(&self) -> String {
        self.server.place()
    }

    /// The JSON at a path; `None` if the server does not have the path.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let request = self.server.request(Method::GET, path, None);
        let (status, body) = self.runtime.block_on(request)?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.accepted(status, &body)?;
        let parsed = serde_json::from_slice(&body);
        let parsed = parsed.with_context(|| format!("{path}: an answer of another shape"))?;
        Ok(Some(parsed))
    }

    /// The data of an answer of Prometheus' API.
    pub(super) fn data<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let envelope: Option<Envelope<T>> = self.get(path)?;
        let missing = || anyhow!("{} does not have {path}", self.place());
        Ok(envelope.ok_or_else(missing)?.data)
    }

    /// The result of a query at the server's time, or its reason for refusing it.
    pub(super) fn query(&self, expr: &str) -> Result<Result<vigie_query::Answer, String>> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", expr)
            .finish();
        let body = Some(("application/x-www-form-urlencoded", form.into()));
        let request = self.server.request(Method::POST, "/api/v1/query", body);
        let (_, body) = self.runtime.block_on(request)?;
        vigie_query::Answer::parse(&body).context("the server does not answer as Prometheus does")
    }

    /// Sends JSON, and returns the answer.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Vec<u8>> {
        let body = body.map(|body| ("application/json", body.to_string().into()));
        let request = self.server.request(method, path, body);
        let (status, body) = self.runtime.block_on(request)?;
        self.accepted(status, &body)?;
        Ok(body.into())
    }

    fn accepted(&self, status: StatusCode, body: &[u8]) -> Result<()> {
        if status.is_success() {
            return Ok(());
        }
        let place = self.place();
        match reason(body) {
            Some(reason) => bail!("{place} answers {status}: {reason}"),
            None => bail!("{place} answers {status}"),
        }
    }
}

/// The time and the properties of the terminal.
pub(super) struct Screen {
    pub(super) now: Zoned,
    pub(super) coloured: bool,
}

impl Screen {
    pub(super) fn of_stdout() -> Self {
        Self {
            now: Timestamp::now().to_zoned(TimeZone::system()),
            coloured: vigie_query::coloured(&io::stdout()),
        }
    }

    /// A time of today as `14:05:30`, another one with its date.
    pub(super) fn time(&self, time: Timestamp) -> String {
        let time = time.to_zoned(self.now.time_zone().clone());
        let format = match time.date() == self.now.date() {
            true => "%H:%M:%S",
            false => "%Y-%m-%d %H:%M",
        };
        time.strftime(format).to_string()
    }

    /// A time, and how long it is ago.
    pub(super) fn since(&self, time: Timestamp) -> String {
        format!("{} ({})", self.time(time), self.until(time))
    }

    /// The time that has passed, or that remains.
    pub(super) fn until(&self, time: Timestamp) -> String {
        lasting(self.now.timestamp().duration_since(time).as_secs().abs())
    }
}

/// A duration with its two largest units: `42s`, `12m`, `2h5m`, `3d4h`.
pub(super) fn lasting(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let largest = UNITS.iter().position(|(size, _)| seconds >= *size);
    let Some(largest) = largest else {
        return "0s".to_owned();
    };
    let count = |at: usize| {
        let (size, unit) = UNITS[at];
        let above = if at == 0 { i64::MAX } else { UNITS[at - 1].0 };
        (seconds % above / size, unit)
    };
    let (first, unit) = count(largest);
    let mut text = format!("{first}{unit}");
    // Seconds are shown only by themselves.
    if largest + 1 < UNITS.len() - 1 {
        let (second, unit) = count(largest + 1);
        if second > 0 {
            text += &format!("{second}{unit}");
        }
    }
    text
}

/// An alert as `Backlog{queue="mail"}`.
pub(super) fn named(labels: &Labels) -> String {
    vigie_query::named(labels, ALERT_NAME)
}

/// The labels of an alert as `{queue="mail", severity="warning"}`, without its name; nothing without labels.
pub(super) fn braces(labels: &Labels) -> String {
    vigie_query::braces(labels, ALERT_NAME)
}

/// Columns that are as wide as their longest cell; the last one is not padded.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (42, "42s"),
            (60, "1m"),
            (725, "12m"),
            (3_600, "1h"),
            (7_500, "2h5m"),
            (86_400, "1d"),
            (273_600, "3d4h"),
        ] {
            assert_eq!(lasting(seconds), text);
        }
    }
}
