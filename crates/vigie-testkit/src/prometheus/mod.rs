//! A real Prometheus server.

mod answers;
mod release;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use serde_json::Value;

use crate::server::{Server, User};
use crate::{Error, Process, http};

pub(crate) use answers::labels;
pub use answers::{Alerting, Rule, Sample, Series, Target};
pub use release::Release;

use answers::{rule, samples, series, target};

const NAME: &str = "prometheus";
/// A configuration that scrapes nothing.
const NO_TARGETS: &str = "global: {}\n";

/// A Prometheus server.
///
/// It runs as the current user, so that it can read the rule files of the workspace.
pub struct Prometheus {
    server: Server,
    addr: SocketAddr,
}

impl Prometheus {
    /// Starts a server on a free port with this configuration file.
    ///
    /// # Errors
    /// If Prometheus is not installed, does not start, or refuses the configuration.
    pub async fn start(config: &str) -> Result<Self, Error> {
        let directory = User::OURSELVES.directory()?;
        Release::installed()?.start_in(directory, config).await
    }

    /// Starts a server without targets on these samples, in the OpenMetrics format with timestamps.
    ///
    /// # Errors
    /// If Prometheus is not installed, does not start, or cannot read the samples.
    pub async fn with_samples(openmetrics: &str) -> Result<Self, Error> {
        Release::installed()?.with_samples(openmetrics).await
    }

    /// The address of its API.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Kills it with SIGKILL, and starts it again with its files on the same port.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.server.respawn()?;
        self.server.until_ready(self.addr).await
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        self.server.process()
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.server.process().id()
    }

    /// The result of an instant query; a scalar is one sample without labels.
    ///
    /// # Errors
    /// If the expression is refused, or is a string.
    pub async fn query(&self, expression: &str) -> Result<Vec<Sample>, Error> {
        let data = self.post("query", &[("query", expression)]).await?;
        samples(&data).ok_or_else(|| unreadable(&data))
    }

    /// The result of a range query from `start` to `end` (Unix seconds), every `step` seconds.
    ///
    /// # Errors
    /// If the expression or the range is refused.
    pub async fn query_range(
        &self,
        expression: &str,
        (start, end): (f64, f64),
        step: f64,
    ) -> Result<Vec<Series>, Error> {
        let answer = self.query_range_counted(expression, (start, end), step);
        Ok(answer.await?.0)
    }

    /// The same, with the number of samples that were queried for it (`totalQueryableSamples`).
    ///
    /// # Errors
    /// When the expression or the range is refused.
    pub async fn query_range_counted(
        &self,
        expression: &str,
        (start, end): (f64, f64),
        step: f64,
    ) -> Result<(Vec<Series>, u64), Error> {
        let [start, end, step] = [start, end, step].map(|number| number.to_string());
        let form = [
            ("query", expression),
            ("start", &start),
            ("end", &end),
            ("step", &step),
            ("stats", "true"),
        ];
        let data = self.post("query_range", &form).await?;
        let queried = data["stats"]["samples"]["totalQueryableSamples"].as_u64();
        let counted = series(&data).zip(queried);
        counted.ok_or_else(|| unreadable(&data))
    }

    /// The active targets.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn targets(&self) -> Result<Vec<Target>, Error> {
        let data = self.get("targets").await?;
        let targets = data["activeTargets"].as_array();
        targets
            .and_then(|targets| targets.iter().map(target).collect())
            .ok_or_else(|| unreadable(&data))
    }

    /// The rules of all files, in order.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn rules(&self) -> Result<Vec<Rule>, Error> {
        let data = self.get("rules").await?;
        let read = || -> Option<Vec<Rule>> {
            let groups = data["groups"].as_array()?.iter();
            let rules = groups.map(|group| group["rules"].as_array());
            let rules = rules.collect::<Option<Vec<_>>>()?.into_iter().flatten();
            rules.map(rule).collect()
        };
        read().ok_or_else(|| unreadable(&data))
    }

    async fn get(&self, endpoint: &str) -> Result<Value, Error> {
        let answer = http::get(self.addr, &format!("/api/v1/{endpoint}")).await?;
        data(&answer)
    }

    async fn post(&self, endpoint: &str, form: &[(&str, &str)]) -> Result<Value, Error> {
        let path = format!("/api/v1/{endpoint}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = urlencoded(form);
        let answer = http::request(self.addr, "POST", &path, &headers, body.as_bytes()).await?;
        data(&answer)
    }
}

/// Unwraps the envelope of an answer.
fn data(answer: &http::Response) -> Result<Value, Error> {
    let mut envelope = answer.json()?;
    if envelope["status"] == "success" {
        return Ok(envelope["data"].take());
    }
    let error = envelope["error"].as_str().unwrap_or_default();
    Err(Error::protocol(NAME, format!("{}: {error}", answer.status)))
}

fn unreadable(data: &Value) -> Error {
    Error::protocol(NAME, format!("an answer of another shape: {data}"))
}

/// `application/x-www-form-urlencoded`, everything but letters and digits escaped.
fn urlencoded(form: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        let escape = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(escape).collect()
    };
    let pairs = form
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}
