//! A real Prometheus server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Server, User, output};
use crate::{Error, http, ports, sid, tools};

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

/// The programs of a release of Prometheus.
#[derive(Clone, Debug)]
pub struct Release {
    server: PathBuf,
    promtool: PathBuf,
}

impl Release {
    /// The release that is installed, Debian 12's 2.42.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn installed() -> Result<Self, Error> {
        Ok(Self {
            server: tools::PROMETHEUS.find()?,
            promtool: tools::PROMTOOL.find()?,
        })
    }

    /// The release of Debian's unstable suite, 3.5 or later.
    ///
    /// # Errors
    /// When it was not unpacked.
    pub fn sid() -> Result<Self, String> {
        Ok(Self {
            server: sid::PROMETHEUS.find()?,
            promtool: sid::PROMTOOL.find()?,
        })
    }

    /// Starts a server that scrapes nothing and holds these samples, in the OpenMetrics format with a time each.
    ///
    /// # Errors
    /// When Prometheus does not start, or cannot read the samples.
    pub async fn with_samples(&self, openmetrics: &str) -> Result<Prometheus, Error> {
        let directory = User::OURSELVES.directory()?;
        let file = directory.path().join("samples.om");
        std::fs::write(&file, openmetrics).map_err(Error::io("samples.om"))?;
        let mut promtool = User::OURSELVES.command(&self.promtool);
        promtool.args(["tsdb", "create-blocks-from", "openmetrics"]);
        promtool.arg(&file).arg(directory.path().join("data"));
        output("promtool", promtool).await?;
        self.start_in(directory, NO_TARGETS).await
    }

    async fn start_in(&self, directory: TempDir, config: &str) -> Result<Prometheus, Error> {
        let file = directory.path().join("prometheus.yml");
        std::fs::write(&file, config).map_err(Error::io("prometheus.yml"))?;
        let addr = SocketAddr::from(([127, 0, 0, 1], ports::free()));
        let program = self.server.clone();
        let mut server = Server::spawn(NAME, directory, move |directory| {
            let file = |name: &str| directory.join(name).display().to_string();
            let mut command = User::OURSELVES.command(&program);
            command
                .arg(format!("--config.file={}", file("prometheus.yml")))
                .arg(format!("--storage.tsdb.path={}", file("data")))
                .arg("--storage.tsdb.retention.time=100y")
                .arg(format!("--web.listen-address={addr}"))
                .arg("--log.level=warn");
            command
        })?;
        server.until_ready(addr).await?;
        Ok(Prometheus { server, addr })
    }
}

/// One series of an instant query's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels, with the name as `__name__`.
    pub labels: BTreeMap<String, String>,
    /// The value, which may be NaN or infinite.
    pub value: f64,
}

/// One series of a range query's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The labels, with the name as `__name__`.
    pub labels: BTreeMap<String, String>,
    /// Unix seconds and values, oldest first.
    pub values: Vec<(f64, f64)>,
}

/// The state of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its labels after relabelling.
    pub labels: BTreeMap<String, String>,
    /// Whether the last scrape succeeded; `None` before the first.
    pub up: Option<bool>,
    /// The error of the last scrape.
    pub error: String,
}

/// A loaded rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name of the alert or the recorded metric.
    pub name: String,
    /// The expression, as formatted by Prometheus.
    pub query: String,
    /// The rule's own labels.
    pub labels: BTreeMap<String, String>,
    /// `ok`, `err`, or `unknown` before the first evaluation.
    pub health: String,
    /// The error of the last evaluation.
    pub error: String,
    /// `None` for a recording rule.
    pub alert: Option<Alerting>,
}

/// Properties of an alerting rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerting {
    /// `inactive`, `pending` or `firing`: the most severe state of its alerts.
    pub state: String,
    /// How long an alert stays pending (`for`).
    pub pending_for: Duration,
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

    /// Starts a server without targets on the database in `data` of this directory, which is dropped with the server.
    ///
    /// # Errors
    /// If Prometheus is not installed or does not start.
    pub async fn with_data(directory: TempDir) -> Result<Self, Error> {
        Release::installed()?.start_in(directory, NO_TARGETS).await
    }

    /// The address of its API.
    pub fn addr(&self) -> SocketAddr {
        self.addr
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

fn samples(data: &Value) -> Option<Vec<Sample>> {
    let result = &data["result"];
    match data["resultType"].as_str()? {
        "vector" => {
            let sample = |one: &Value| {
                Some(Sample {
                    labels: labels(&one["metric"])?,
                    value: point(&one["value"])?.1,
                })
            };
            result.as_array()?.iter().map(sample).collect()
        }
        "scalar" => Some(vec![Sample {
            labels: BTreeMap::new(),
            value: point(result)?.1,
        }]),
        _ => None,
    }
}

fn series(data: &Value) -> Option<Vec<Series>> {
    let series = |one: &Value| {
        Some(Series {
            labels: labels(&one["metric"])?,
            values: one["values"]
                .as_array()?
                .iter()
                .map(point)
                .collect::<Option<_>>()?,
        })
    };
    data["result"].as_array()?.iter().map(series).collect()
}

/// `[1435781451.781, "1"]`
fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair[0].as_f64()?, pair[1].as_str()?.parse().ok()?))
}

fn target(target: &Value) -> Option<Target> {
    Some(Target {
        labels: labels(&target["labels"])?,
        up: match target["health"].as_str()? {
            "up" => Some(true),
            "down" => Some(false),
            _ => None,
        },
        error: text(&target["lastError"]),
    })
}

fn rule(rule: &Value) -> Option<Rule> {
    let alert = match rule["type"].as_str()? {
        "alerting" => Some(Alerting {
            state: rule["state"].as_str()?.to_owned(),
            pending_for: Duration::try_from_secs_f64(rule["duration"].as_f64()?).ok()?,
        }),
        _ => None,
    };
    Some(Rule {
        name: rule["name"].as_str()?.to_owned(),
        query: rule["query"].as_str()?.to_owned(),
        // Omitted if empty.
        labels: labels(&rule["labels"]).unwrap_or_default(),
        health: rule["health"].as_str()?.to_owned(),
        error: text(&rule["lastError"]),
        alert,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An object with string values.
pub(crate) fn labels(object: &Value) -> Option<BTreeMap<String, String>> {
    let pairs = object.as_object()?.iter();
    pairs
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Fault, FaultServer, eventually, faults::http_answer};

    const RULES: &str = r#"
groups:
  - name: both
    rules:
      - record: some:answer
        expr: vector(42)
      - alert: Always
        expr: some:answer > 41
        labels: {severity: warning}
      - alert: Later
        expr: some:answer > 41
        for: 1h
      - alert: Broken
        expr: label_replace(vector(1), "no label", "", "", "")
"#;
    const PAGE: &str = "# TYPE fish gauge\nfish{kind=\"cod\"} 7\nfish{kind=\"eel\"} NaN\n";
    const SOON: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn scrapes_answers_and_evaluates() {
        let exporter = FaultServer::start(Fault::CloseAfter(usize::MAX, http_answer(200, PAGE)));
        let exporter = exporter.await.unwrap();
        let rules = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
        std::fs::write(rules.path(), RULES).unwrap();
        let (fish, nobody) = (exporter.addr(), ports::free());
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\n\
             rule_files: [{:?}]\n\
             scrape_configs:\n\
             - {{job_name: fish, static_configs: [{{targets: ['{fish}']}}]}}\n\
             - {{job_name: nobody, static_configs: [{{targets: ['127.0.0.1:{nobody}']}}]}}\n",
            rules.path()
        );
        let prometheus = Prometheus::start(&config).await.unwrap();

        let targets = eventually(SOON, async || {
            let targets = prometheus.targets().await.unwrap();
            let known = targets.iter().filter(|target| target.up.is_some());
            (known.count() == 2)
                .then_some(targets.clone())
                .ok_or(format!("{targets:?}"))
        })
        .await;
        let target = |job: &str| targets.iter().find(|target| target.labels["job"] == job);
        assert_eq!(target("fish").unwrap().up, Some(true));
        let nobody = target("nobody").unwrap();
        assert!(nobody.error.contains("refused"), "{nobody:?}");
        assert_eq!(nobody.up, Some(false));

        let cod = prometheus
            .query("fish{kind=~\"c.d\"} + 0 > 6")
            .await
            .unwrap();
        let [cod] = &cod[..] else { panic!("{cod:?}") };
        assert_eq!((cod.value, &*cod.labels["kind"]), (7.0, "cod"));
        assert!(
            prometheus.query("fish{kind='eel'}").await.unwrap()[0]
                .value
                .is_nan()
        );
        assert_eq!(prometheus.query("none").await.unwrap(), []);
        let scalar = prometheus.query("1 / 0").await.unwrap();
        assert_eq!(
            (scalar[0].value, scalar[0].labels.len()),
            (f64::INFINITY, 0)
        );
        let refused = prometheus
            .query("sum by (fish")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("400") && refused.contains("parse error"),
            "{refused}"
        );

        let range = prometheus
            .query_range("vector(1)", (10.0, 30.0), 10.0)
            .await
            .unwrap();
        let values = vec![(10.0, 1.0), (20.0, 1.0), (30.0, 1.0)];
        assert_eq!(
            range,
            [Series {
                labels: BTreeMap::new(),
                values
            }]
        );

        let rules = eventually(SOON, async || {
            let rules = prometheus.rules().await.unwrap();
            let evaluated = rules.iter().filter(|rule| rule.health != "unknown");
            (evaluated.count() == 4)
                .then_some(rules.clone())
                .ok_or(format!("{rules:?}"))
        })
        .await;
        let seen: Vec<_> = rules
            .iter()
            .map(|rule| {
                (
                    &*rule.name,
                    rule.alert.as_ref().map(|alert| &*alert.state),
                    &*rule.health,
                )
            })
            .collect();
        let expected = [
            ("some:answer", None, "ok"),
            ("Always", Some("firing"), "ok"),
            ("Later", Some("pending"), "ok"),
            ("Broken", Some("inactive"), "err"),
        ];
        assert_eq!(seen, expected, "{rules:?}");
        assert_eq!(rules[1].labels["severity"], "warning");
        assert_eq!(rules[1].query, "some:answer > 41");
        assert_eq!(
            rules[2].alert.as_ref().unwrap().pending_for.as_secs(),
            3_600
        );
        assert!(rules[3].error.contains("no label"), "{:?}", rules[3]);
    }

    #[tokio::test]
    async fn a_configuration_that_it_refuses_is_told_with_its_reason() {
        let refused = Prometheus::start("global: {scrape_intervall: 1s}").await;
        let reason = refused.err().unwrap().to_string();
        assert!(reason.contains("scrape_intervall"), "{reason}");
    }

    #[test]
    fn escapes_what_a_form_must_not_hold() {
        let form = [("query", "a{b=\"c d\"}&+%é"), ("n", "1")];
        let expected = "query=a%7Bb%3D%22c%20d%22%7D%26%2B%25%C3%A9&n=1";
        assert_eq!(urlencoded(&form), expected);
    }
}
