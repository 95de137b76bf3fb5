//! The queries of the dashboards and the rules, evaluated by a real Prometheus that has scraped the demo's traffic.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;
use vigie_testkit::{Prometheus, SOON, Script, Webhook, eventually, ports};

use super::watch::{scraping, workspace};
use crate::common::{Stage, promtool_finds_nothing_in};

const TRAFFIC: Duration = SOON;
/// The time until the effects of the traffic are scraped and evaluated.
const SETTLES: Duration = SOON;
/// Grafana's value of `$__rate_interval` for a scrape interval of 15 s.
const RATE_INTERVAL: &str = "1m";
/// The range of a panel query, and its step (in seconds).
const RANGE: f64 = 60.0;
const STEP: f64 = 5.0;

#[tokio::test]
async fn every_panel_has_data_and_every_rule_is_well() {
    let webhook = Webhook::start().await.unwrap();
    let files_of_alerts = TempDir::new().unwrap();
    let alerts = messages(files_of_alerts.path(), &webhook);
    let stage = Stage::set_with_sections(&[], &alerts).await;
    let rules = files("rules", "yml");
    let prometheus = Prometheus::start(&scraping(&stage, "1s", &rules))
        .await
        .unwrap();
    // Jobs in each state, in a queue that no longer changes.
    let states = ["--waiting", "3", "--prioritized", "1", "--delayed", "1"];
    let ends = ["--active", "1", "--completed", "1", "--failed", "1"];
    stage.fill("deserted", &[states, ends].concat()).await;
    // Limits that hold other jobs back.
    let limits = ["--waiting=1", "--concurrency=1", "--rate-limit-ms=3600000"];
    stage.fill("limited", &limits).await;
    stage.fill("paused", &["--waiting=1", "--paused"]).await;
    play(&stage).await;

    eventually(SETTLES, async || {
        let rules = prometheus
            .rules()
            .await
            .map_err(|error| error.to_string())?;
        let ill: Vec<_> = rules.iter().filter(|rule| rule.health != "ok").collect();
        (!rules.is_empty() && ill.is_empty())
            .then_some(())
            .ok_or_else(|| format!("of {} rules: {ill:#?}", rules.len()))
    })
    .await;

    for file in files("dashboards", "json") {
        let text = std::fs::read_to_string(&file).unwrap();
        // The translations are not a dashboard.
        let Ok(dashboard) = serde_json::from_str::<Value>(&text).map(Dashboard) else {
            panic!("{} is not JSON", file.display());
        };
        if dashboard.0["panels"].is_array() {
            has_data(&prometheus, &file, &dashboard).await;
        }
    }
    // Every event has happened, so every metric is exposed.
    promtool_finds_nothing_in(&stage.vigie.get("/metrics").await.text());
    stage.end().await;
}

/// The sections with which Vigie sends messages about an alert that always fires: to the webhook, and to a port without a server.
fn messages(directory: &Path, webhook: &Webhook) -> String {
    let [rules, receivers] = ["rules.yml", "alertmanager.yml"].map(|name| directory.join(name));
    let always = "groups: [{name: always, rules: [{alert: Always, expr: vector(1)}]}]\n";
    std::fs::write(&rules, always).unwrap();
    let nobody = ports::free();
    let text = format!(
        "route: {{receiver: both, group_wait: 0s}}\n\
         receivers: [{{name: both, webhook_configs: [{{url: '{}'}}, {{url: 'http://127.0.0.1:{nobody}/'}}]}}]\n",
        webhook.url()
    );
    std::fs::write(&receivers, text).unwrap();
    format!("[alerts]\nrules = [{rules:?}]\n[notify]\nconfig = {receivers:?}\n")
}

async fn has_data(prometheus: &Prometheus, file: &Path, dashboard: &Dashboard) {
    let queries = dashboard.queries();
    assert!(!queries.is_empty(), "{}", file.display());
    eventually(SETTLES, async || {
        let variables = dashboard.values(prometheus).await?;
        let mut empty = Vec::new();
        for query in &queries {
            let expression = substitute(&query.expression, &variables)?;
            if !query.is_answered(prometheus, &expression).await? {
                empty.push(format!("{}: {expression}", query.title));
            }
        }
        match empty.len() {
            0 => Ok(()),
            _ => Err(format!(
                "{}: no data for\n{}",
                file.display(),
                empty.join("\n")
            )),
        }
    })
    .await;
}

/// Plays the demo's traffic through the gateway.
async fn play(stage: &Stage) {
    let target = format!("http://{}", stage.vigie.gateway);
    let script = Script::new("traffic/traffic.js").args([
        "--target",
        &target,
        "--players",
        "10",
        "--seconds",
        "15",
    ]);
    let mut script = script.spawn().unwrap();
    let tally = script.next_json(TRAFFIC).await.unwrap();
    assert!(tally["answered"].as_u64() > Some(200), "{tally}");
    assert!(script.wait(TRAFFIC).await.unwrap().success());
}

/// The files of a folder in the workspace; at least one.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(workspace(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|end| end == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

/// A dashboard as Grafana imports it.
struct Dashboard(Value);

/// A query of a panel or an annotation.
struct Query {
    title: String,
    expression: String,
    instant: bool,
}

impl Dashboard {
    fn queries(&self) -> Vec<Query> {
        let mut queries = Vec::new();
        let annotations = self.0["annotations"]["list"].as_array();
        for annotation in annotations.into_iter().flatten() {
            queries.push(Query::of(&annotation["name"], &annotation["target"]));
        }
        collect(&self.0, &mut queries);
        queries
    }

    /// The values of the variables when all are selected.
    async fn values(&self, prometheus: &Prometheus) -> Result<BTreeMap<String, String>, String> {
        let mut values = BTreeMap::from([("__rate_interval".into(), RATE_INTERVAL.into())]);
        let variables = self.0["templating"]["list"].as_array();
        let variables = variables.into_iter().flatten();
        for variable in variables.filter(|variable| variable["type"] == "query") {
            let [name, query] = ["name", "query"].map(|field| variable[field].as_str().unwrap());
            // The query of a later variable may contain an earlier one.
            let query = substitute(query, &values)?;
            let arguments = query
                .strip_prefix("label_values(")
                .and_then(|rest| rest.strip_suffix(')')?.rsplit_once(", "));
            let (metric, label) = arguments.ok_or(format!("{name}: {query}"))?;
            let all = format!("group by ({label}) ({metric})");
            let answer = prometheus.query(&all).await;
            let answer = answer.map_err(|error| format!("{query}: {error}"))?;
            let chosen: BTreeSet<_> = answer
                .iter()
                .filter_map(|sample| sample.labels.get(label).cloned())
                .collect();
            if chosen.is_empty() {
                return Err(format!("nothing to choose from for {name}: {query}"));
            }
            let chosen = Vec::from_iter(chosen).join("|");
            values.insert(name.to_owned(), format!("({chosen})"));
        }
        Ok(values)
    }
}

/// The queries of all panels, including those inside rows.
fn collect(parent: &Value, queries: &mut Vec<Query>) {
    for panel in parent["panels"].as_array().into_iter().flatten() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(Query::of(&panel["title"], target));
        }
        collect(panel, queries);
    }
}

impl Query {
    fn of(title: &Value, target: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            title: text(title).unwrap_or_else(|| panic!("no title: {target}")),
            expression: text(&target["expr"]).unwrap_or_else(|| panic!("{title}: {target}")),
            instant: target["instant"] == true,
        }
    }

    /// Whether the result has any data.
    async fn is_answered(&self, prometheus: &Prometheus, expression: &str) -> Result<bool, String> {
        let refused = |error| format!("{expression}: {error}");
        if self.instant {
            let samples = prometheus.query(expression).await.map_err(refused)?;
            return Ok(samples.iter().any(|sample| sample.value.is_finite()));
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs_f64();
        let series = prometheus.query_range(expression, (now - RANGE, now), STEP);
        let series = series.await.map_err(refused)?;
        let mut values = series.iter().flat_map(|series| &series.values);
        Ok(values.any(|(_, value)| value.is_finite()))
    }
}

/// Replaces `$name`, `${name}` and `${name:format}`.
fn substitute(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut parts = text.split('$');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{') {
            Some(braced) => {
                let (inside, rest) = braced.split_once('}').ok_or(text)?;
                (inside.split(':').next().unwrap_or_default(), rest)
            }
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                part.split_at(part.find(|c| !is_name(c)).unwrap_or(part.len()))
            }
        };
        let value = values
            .get(name)
            .ok_or(format!("what is ${name} in {text}?"))?;
        result += value;
        result += rest;
    }
    Ok(result)
}

#[test]
fn variables_are_replaced_in_all_their_forms() {
    let values = [("job", "(a|b)"), ("__rate_interval", "1m")];
    let values = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let expression = r#"rate(x{job=~"$job",j=~"${job}",k=~"${job:regex}"}[$__rate_interval])"#;
    let expected = r#"rate(x{job=~"(a|b)",j=~"(a|b)",k=~"(a|b)"}[1m])"#;
    assert_eq!(substitute(expression, &values).as_deref(), Ok(expected));
    assert!(substitute("$other", &values).is_err());
    assert!(substitute("${job", &values).is_err());
}
