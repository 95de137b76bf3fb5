//! Every rule finds its kind of mistake.

use serde_json::{Value, json};

use super::RULES;
use crate::model::Dashboard;

/// A dashboard that follows every rule.
fn valid() -> Dashboard {
    let variable = |name: &str, label: &str, query: &str| {
        json!({
            "type": "query", "name": name, "label": label, "query": query, "datasource": {"uid": "$datasource"},
            "multi": true, "allValue": ".+", "refresh": 2
        })
    };
    let json = json!({
        "editable": false,
        "panels": [{
            "type": "timeseries", "title": "Up", "description": "Whether it could be scraped all the hour.",
            "datasource": {"type": "prometheus", "uid": "$datasource"},
            "fieldConfig": {"defaults": {"unit": "short"}},
            "targets": [{"expr": r#"min_over_time(up{job=~"$job", instance=~"$instance"}[1h])"#}]
        }],
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"},
            variable("job", "Job", "label_values(up, job)"),
            variable("instance", "Instance", r#"label_values(up{job=~"$job"}, instance)"#)
        ]}
    });
    let file = "valid.json".to_owned();
    Dashboard { file, json }
}

/// A rule, a place in the valid dashboard, and the value to put there.
fn mistakes() -> Vec<(&'static str, &'static str, Value)> {
    let expr = "/panels/0/targets/0/expr";
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
            "/templating/list/2/query",
            json!("label_values(up{, instance)"),
        ),
        (
            "template-label-promql",
            "/templating/list/2/query",
            json!("instances"),
        ),
        (
            "template-on-time-change-reload",
            "/templating/list/2/refresh",
            json!(1),
        ),
        (
            "panel-datasource",
            "/panels/0/datasource/uid",
            json!("P8E80F9AEF21F6940"),
        ),
        (
            "panel-title-description",
            "/panels/0/description",
            json!(""),
        ),
        ("panel-title-description", "/panels/0/title", json!("")),
        (
            "panel-units",
            "/panels/0/fieldConfig/defaults/unit",
            json!("requests"),
        ),
        ("panel-no-targets", "/panels/0/targets", json!([])),
        ("target-logql", "/panels/0/datasource/type", json!("loki")),
        (
            "target-logql-auto",
            "/panels/0/datasource/type",
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
fn a_mistake_is_found_by_its_rule() {
    for (rule, place, wrong) in mistakes() {
        let mut dashboard = valid();
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
fn the_valid_dashboard_keeps_every_rule() {
    for (rule, check) in RULES {
        assert_eq!(check(&valid()), [], "{rule}");
    }
}

#[test]
fn every_rule_has_a_mistake() {
    for (rule, _) in RULES {
        assert!(mistakes().iter().any(|(name, ..)| *name == rule), "{rule}");
    }
}
