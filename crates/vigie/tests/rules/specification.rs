//! The alerts of the specification, verbatim.

use vigie::rules::BuiltIn;
use vigie_alerts::{Rule, RuleKind, load};

/// "Alertes essentielles", condition by condition. The last column is the alert's `for`, which the specification does
/// not define.
const ALERTS: [(&str, &str, &str, u64); 8] = [
    // Erreur HTTP
    (
        "HttpErrors",
        "sum(rate(http_requests_errors_total[5m])) > 5",
        "warning",
        0,
    ),
    (
        "HttpErrors",
        "sum(rate(http_requests_errors_total[5m])) > 20",
        "critical",
        0,
    ),
    // Saturation queue
    (
        "QueueWaiting",
        r#"queue_jobs_total{state="waiting"} > 500"#,
        "warning",
        60,
    ),
    (
        "QueueFailing",
        r#"rate(queue_jobs_total{state="failed"}[5m]) > 5"#,
        "warning",
        0,
    ),
    // Latence API
    (
        "ApiLatency",
        "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le)) > 1",
        "warning",
        0,
    ),
    // Tick lent
    (
        "SlowTick",
        "histogram_quantile(0.95, sum(rate(production_tick_duration_seconds_bucket[10m])) by (le)) > 2",
        "warning",
        0,
    ),
    // Sockets anormales
    (
        "SocketsNone",
        "socket_active_connections < 1",
        "critical",
        60,
    ),
    (
        "SocketsLeak",
        "socket_active_connections > 5000",
        "warning",
        120,
    ),
];

pub(crate) fn severity(rule: &Rule) -> Option<&str> {
    let mut labels = rule.labels.iter();
    let severity = labels.find(|label| &*label.key == "severity");
    severity.map(|label| &*label.value)
}

#[test]
fn the_essential_alerts_are_those_of_the_specification() {
    let file = load(BuiltIn::Essential.text()).rules;
    let rules: Vec<_> = file
        .rules()
        .map(|rule| {
            let RuleKind::Alert { name, hold, .. } = &rule.kind else {
                panic!("{rule:?}");
            };
            let severity = severity(rule).unwrap();
            (&**name, &*rule.expr.text, severity, hold.as_secs())
        })
        .collect();
    assert_eq!(rules, ALERTS);
}

#[test]
fn queue_metrics_are_never_summed_over_replicas() {
    for rule in load(BuiltIn::Extended.text()).rules.rules() {
        let expr = &*rule.expr.text;
        for (at, _) in expr.match_indices("bullmq_") {
            let before = &expr[..at];
            assert!(
                before.contains("max by (database, prefix, queue"),
                "{}: {expr}",
                &**rule.name()
            );
        }
    }
}

#[test]
fn the_catalogue_lists_the_states_of_jobs() {
    let states = &vigie_bullmq::metrics::JOB_STATES;
    let levels = vigie_bullmq::State::ALL.map(vigie_bullmq::State::as_str);
    assert_eq!(states.levels, levels);
    assert_eq!(states.counts, ["completed", "failed"]);
}
