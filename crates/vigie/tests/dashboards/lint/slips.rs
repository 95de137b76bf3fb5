//! Every rule finds the slip that it is there for.

use serde_json::{Value, json};

use super::RULES;
use crate::model::Dashboard;

/// A rule, a place in the details dashboard, which keeps them all, and what is put there.
fn slips() -> Vec<(&'static str, &'static str, Value)> {
    let expr = "/panels/1/targets/0/expr";
    let matchers = r#"{job=~"$job", instance=~"$instance"}"#;
    let rate = |metric: &str, range: &str| json!(format!("rate({metric}{matchers}[{range}])"));
    vec![
        (
            "template-datasource",
            "/templating/list/0/name",
            json!("prometheus"),
        ),
        (
            "template-datasource",
            "/templating/list/0/type",
            json!("custom"),
        ),
        ("template-job", "/templating/list/1/multi", json!(false)),
        ("template-job", "/templating/list/1/name", json!("jobs")),
        (
            "template-instance",
            "/templating/list/2/allValue",
            json!(".*"),
        ),
        (
            "template-instance",
            "/templating/list/2/datasource/uid",
            json!("abc"),
        ),
        (
            "template-label-promql",
            "/templating/list/3/query",
            json!("label_values(up{, queue)"),
        ),
        (
            "template-label-promql",
            "/templating/list/3/query",
            json!("queues"),
        ),
        (
            "template-on-time-change-reload",
            "/templating/list/3/refresh",
            json!(1),
        ),
        (
            "panel-datasource",
            "/panels/1/datasource/uid",
            json!("P8E80F9AEF21F6940"),
        ),
        (
            "panel-title-description",
            "/panels/1/description",
            json!(""),
        ),
        ("panel-title-description", "/panels/1/title", json!("")),
        (
            "panel-units",
            "/panels/1/fieldConfig/defaults/unit",
            json!("requests"),
        ),
        ("panel-no-targets", "/panels/1/targets", json!([])),
        ("target-logql", "/panels/1/datasource/type", json!("loki")),
        (
            "target-logql-auto",
            "/panels/1/datasource/type",
            json!("loki"),
        ),
        ("target-promql", expr, json!("sum by route (up)")),
        ("target-promql", expr, json!("rate(up[$interval])")),
        (
            "target-rate-interval",
            expr,
            rate("vigie_gateway_errors_total", "5m"),
        ),
        (
            "target-rate-interval",
            expr,
            rate("vigie_gateway_errors_total", "1h"),
        ),
        (
            "target-job",
            expr,
            json!(r#"up{job="$job", instance=~"$instance"}"#),
        ),
        ("target-instance", expr, json!(r#"up{job=~"$job"}"#)),
        (
            "target-counter-agg",
            expr,
            json!(format!("vigie_gateway_errors_total{matchers}")),
        ),
        (
            "target-counter-agg",
            expr,
            json!(format!("delta(vigie_gateway_errors_total{matchers}[1h])")),
        ),
        ("uneditable-dashboard", "/editable", json!(true)),
    ]
}

#[test]
fn a_slip_is_found_by_its_rule() {
    for (rule, place, wrong) in slips() {
        let mut dashboard = Dashboard::open("vigie-details.json");
        *dashboard
            .json
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("{place}")) = wrong.clone();
        let (_, check) = RULES.iter().find(|(name, _)| *name == rule).unwrap();
        let found = check(&dashboard);
        assert_eq!(found.len(), 1, "{rule}: {place}: {wrong}: {found:?}");
    }
}

#[test]
fn every_rule_has_a_slip() {
    for (rule, _) in RULES {
        assert!(slips().iter().any(|(name, ..)| *name == rule), "{rule}");
    }
}
