//! `/rules` and `/alerts`: the rules of the source, as Prometheus answers them.
//!
//! Keys that Prometheus does not have: `unknownSince` of an alert, `selectsNothing` of a rule.

mod page;
mod write;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use vigie_promql::Labels;

use crate::api::Api;
use crate::error::ApiError;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::selectors::{self, Selector};

/// A group of rules, as of its last evaluation.
#[derive(Clone, Debug, Default)]
pub struct RuleGroup {
    /// The file that contains it.
    pub file: String,
    /// Its name, unique in the file.
    pub name: String,
    /// The time between two evaluations.
    pub interval: Duration,
    /// The maximum number of alerts or series of a rule; 0 is unlimited.
    pub limit: u64,
    /// The duration of the last evaluation.
    pub evaluation_time: Duration,
    /// The time of the last evaluation, in milliseconds since the epoch.
    pub last_evaluation: Option<i64>,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
}

/// A rule, as of its last evaluation.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name of the alert or of the recorded metric.
    pub name: String,
    /// The expression.
    pub query: String,
    /// The labels, as written.
    pub labels: Labels,
    /// Whether the last evaluation succeeded.
    pub health: Health,
    /// The error of the last evaluation.
    pub last_error: Option<String>,
    /// The duration of the last evaluation.
    pub evaluation_time: Duration,
    /// The time of the last evaluation, in milliseconds since the epoch.
    pub last_evaluation: Option<i64>,
    /// The selectors of the expression that match no series.
    pub selects_nothing: Vec<String>,
    /// `None` for a recording rule.
    pub alerting: Option<Alerting>,
}

/// The part of a rule that only alerting rules have.
#[derive(Clone, Debug, Default)]
pub struct Alerting {
    /// How long an alert stays pending (`for`).
    pub hold: Duration,
    /// How long an alert keeps firing (`keep_firing_for`).
    pub keep_firing: Duration,
    /// The annotations, as written.
    pub annotations: Labels,
    /// The pending and firing alerts.
    pub alerts: Vec<Alert>,
}

/// Whether the last evaluation of a rule succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It was not evaluated yet.
    Unknown,
    /// It succeeded.
    Good,
    /// It failed.
    Bad,
}

/// A pending or firing alert.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The labels, with `alertname`.
    pub labels: Labels,
    /// The annotations, expanded.
    pub annotations: Arc<[(Arc<str>, Arc<str>)]>,
    /// Whether it fires; otherwise it is pending.
    pub is_firing: bool,
    /// The start of its condition, in milliseconds since the epoch.
    pub active_at: i64,
    /// The time from which it fires only because of `keep_firing_for`.
    pub keep_firing_since: Option<i64>,
    /// The time from which its source cannot be read.
    pub unknown_since: Option<i64>,
    /// The last value of its expression.
    pub value: f64,
}

/// The kinds of rules that a request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Alerting,
    Recording,
}

/// The rules that a request asks for.
struct Filter {
    kind: Kind,
    names: HashSet<String>,
    groups: HashSet<String>,
    files: HashSet<String>,
    /// A rule must match one of them; all rules if there is none.
    selectors: Vec<Selector>,
    has_alerts: bool,
}

impl Filter {
    fn new(params: &Params, selectors: Vec<Selector>) -> Result<Self, ApiError> {
        let kind = match params
            .get("type")
            .unwrap_or_default()
            .to_lowercase()
            .as_str()
        {
            "" => Kind::All,
            "alert" => Kind::Alerting,
            "record" => Kind::Recording,
            kind => {
                let reason = format!("not supported value {kind:?}");
                return Err(ApiError::parameter("type", reason));
            }
        };
        let set = |name| params.all(name).map(str::to_owned).collect();
        Ok(Self {
            kind,
            names: set("rule_name[]"),
            groups: set("rule_group[]"),
            files: set("file[]"),
            selectors,
            has_alerts: !params.read("exclude_alerts", boolean)?.unwrap_or(false),
        })
    }

    fn takes_group(&self, group: &RuleGroup) -> bool {
        let takes = |set: &HashSet<String>, name| set.is_empty() || set.contains(name);
        takes(&self.groups, &group.name) && takes(&self.files, &group.file)
    }

    fn takes(&self, rule: &Rule) -> bool {
        let is_of_kind = match self.kind {
            Kind::All => true,
            Kind::Alerting => rule.alerting.is_some(),
            Kind::Recording => rule.alerting.is_none(),
        };
        is_of_kind
            && (self.names.is_empty() || self.names.contains(&rule.name))
            && (self.selectors.is_empty() || self.selectors.iter().any(|one| matches(one, rule)))
    }
}

/// Whether the labels as written satisfy the selector.
fn matches(selector: &Selector, rule: &Rule) -> bool {
    selector.iter().all(|matcher| {
        let value = rule.labels.get(matcher.name());
        matcher.matches(value)
    })
}

pub(crate) async fn rules(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let timeout = api.settings().timeout;
    let shared = api.clone();
    let work = move |_: &_| filtered(&shared, &params);
    let (response, _) = api.lookup_gate().run(timeout, work).await?;
    Ok(response)
}

/// Compiling matchers takes time, so this runs on a blocking thread.
fn filtered(api: &Api, params: &Params) -> Result<Response, ApiError> {
    let invalid = |reason| ApiError::parameter("match[]", reason);
    let selectors = selectors::texts(params).and_then(|texts| selectors::parse_narrow(&texts));
    let filter = Filter::new(params, selectors.map_err(invalid)?)?;
    let mut groups = api.source().rules();
    groups.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    let selected = groups.iter().filter(|group| filter.takes_group(group));
    let selected = selected.filter_map(|group| {
        let rules: Vec<_> = group
            .rules
            .iter()
            .filter(|rule| filter.takes(rule))
            .collect();
        (!rules.is_empty()).then_some((&**group, rules))
    });
    let page = page::cut(selected.collect(), params)?;
    Ok(json::success(&Remarks::default(), |out| {
        out.extend_from_slice(br#"{"groups":"#);
        out.push(b'[');
        json::list(out, &page.groups, |out, (group, rules)| {
            write::group(out, group, rules, filter.has_alerts);
        });
        out.push(b']');
        if let Some(token) = &page.next {
            out.extend_from_slice(br#","groupNextToken":"#);
            json::string(out, token);
        }
        out.push(b'}');
    }))
}

/// Many alerts take long to write, so they are written on a blocking thread, like the rules.
pub(crate) async fn alerts(State(api): State<Api>) -> Result<Response, ApiError> {
    let timeout = api.settings().timeout;
    let shared = api.clone();
    let work = move |_: &_| Ok(all_alerts(&shared));
    let (response, _) = api.lookup_gate().run(timeout, work).await?;
    Ok(response)
}

fn all_alerts(api: &Api) -> Response {
    let groups = api.source().rules();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts = rules
        .filter_map(|rule| rule.alerting.as_ref())
        .flat_map(|alerting| &alerting.alerts);
    json::success(&Remarks::default(), |out| {
        out.extend_from_slice(br#"{"alerts":["#);
        json::list(out, alerts, write::alert);
        out.extend_from_slice(b"]}");
    })
}

/// A boolean in the syntax of Go's `strconv.ParseBool`.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("cannot parse {text:?} as true or false")),
    }
}
