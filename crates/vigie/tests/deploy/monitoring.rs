//! Prometheus, Alertmanager and Grafana: their own tools read the files, and the files are consistent with each other.

use std::fs;

use serde_json::{Value, json};
use vigie_testkit::tools::{AMTOOL, PROMTOOL};

use crate::support::{document, files, list, read, root, run, text};

const ALERTMANAGER: &str = "deploy/alertmanager/alertmanager.yml";
const PROMETHEUS: &str = "deploy/prometheus/prometheus.yml";
const DATASOURCES: &str = "deploy/grafana/provisioning/datasources/vigie.yml";
const DASHBOARDS: &str = "deploy/grafana/provisioning/dashboards/vigie.yml";

/// The rule files in Prometheus' configuration.
fn rules() -> Vec<String> {
    let is_rules = |name: &str| name.ends_with(".yml") && name.matches('/').count() == 1;
    files("rules", is_rules)
}

#[test]
fn prometheus_accepts_its_configuration_with_every_rule_file() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    fs::write(place.join("prometheus.yml"), read(PROMETHEUS)).unwrap();
    fs::create_dir(place.join("rules")).unwrap();
    let rules = rules();
    for file in &rules {
        fs::write(place.join(file), read(file)).unwrap();
    }
    let said = run(PROMTOOL, &["check", "config", "prometheus.yml"], place);
    assert!(!rules.is_empty());
    for file in rules {
        assert!(said.contains(&format!("Checking {file}\n")), "{said}");
    }
}

#[test]
fn alertmanager_accepts_its_configuration() {
    run(AMTOOL, &["check-config", ALERTMANAGER], &root());
}

#[test]
fn every_alert_is_routed_by_its_severity() {
    let mut severities = Vec::new();
    for file in rules() {
        let document = document(&file);
        let groups = list(&document, "/groups").iter();
        for rule in groups.flat_map(|group| list(group, "/rules")) {
            if rule.get("alert").is_none() {
                continue;
            }
            let (alert, severity) = (text(rule, "/alert"), text(rule, "/labels/severity"));
            let expected = match severity {
                "critical" => "page",
                "warning" => "chat",
                "none" => "watchdog",
                other => panic!("{alert}: unknown severity {other}"),
            };
            let labels = [
                format!("alertname={alert}"),
                format!("severity={severity}"),
                "queue=mail".into(),
                "instance=10.0.0.1:9850".into(),
            ];
            let mut arguments = vec!["config", "routes", "test", "--config.file", ALERTMANAGER];
            arguments.extend(labels.iter().map(String::as_str));
            assert_eq!(run(AMTOOL, &arguments, &root()).trim(), expected, "{alert}");
            severities.push(severity.to_owned());
        }
    }
    for severity in ["critical", "warning"] {
        assert!(severities.iter().any(|found| found == severity));
    }
}

#[test]
fn a_critical_alert_inhibits_the_warning_of_its_name() {
    let document = document(ALERTMANAGER);
    assert_eq!(
        document["inhibit_rules"],
        json!([{
            "source_matchers": [r#"severity = "critical""#],
            "target_matchers": [r#"severity = "warning""#],
            "equal": ["alertname", "queue", "instance"],
        }])
    );
}

/// Notifications are templates; a mistake in one shows only when a notification is sent.
#[test]
fn notification_templates_can_be_expanded() {
    let document = document(ALERTMANAGER);
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    fs::write(place.join("none.tmpl"), "").unwrap();
    fs::write(place.join("data.json"), NOTIFICATION).unwrap();
    let mut templates = Vec::new();
    texts(&document["receivers"], &mut templates);
    let mut written = String::new();
    for template in templates.iter().filter(|text| text.contains("{{")) {
        let arguments = [
            "template",
            "render",
            "--template.glob=none.tmpl",
            "--template.data=data.json",
            &format!("--template.text={template}"),
        ];
        written += &run(AMTOOL, &arguments, place);
    }
    for part in ["QueueWaiting", "the summary", "the description", "the page"] {
        assert!(written.contains(part), "{part} is not in:\n{written}");
    }
}

/// The data that Alertmanager passes to a template.
const NOTIFICATION: &str = r#"{
    "receiver": "chat",
    "status": "firing",
    "alerts": [{
        "status": "firing",
        "labels": {"alertname": "QueueWaiting", "queue": "mail", "severity": "warning"},
        "annotations": {"summary": "the summary", "description": "the description", "runbook_url": "the page"},
        "startsAt": "2026-01-02T03:04:05Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "0123456789abcdef"
    }],
    "groupLabels": {"alertname": "QueueWaiting", "queue": "mail"},
    "commonLabels": {"alertname": "QueueWaiting", "queue": "mail", "severity": "warning"},
    "commonAnnotations": {"summary": "the summary", "description": "the description", "runbook_url": "the page"},
    "externalURL": "http://alertmanager:9093"
}"#;

/// Every text in a value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[test]
fn grafana_uses_the_scrape_interval_of_prometheus() {
    let (grafana, prometheus) = (document(DATASOURCES), document(PROMETHEUS));
    let sources = list(&grafana, "/datasources");
    let source = sources.iter().find(|source| source["type"] == "prometheus");
    let source = source.unwrap();
    assert_eq!(source["uid"], "vigie-prometheus");
    let options = &source["jsonData"];
    assert_eq!(
        options["timeInterval"],
        prometheus["global"]["scrape_interval"]
    );
    assert_eq!(options["httpMethod"], "POST");
    assert_eq!(options["prometheusType"], "Prometheus");
    let alerts = text(options, "/alertmanagerUid");
    assert!(sources.iter().any(|source| source["uid"] == alerts));
}

#[test]
fn every_address_is_a_service_of_the_compose_file() {
    let compose = document("deploy/compose/docker-compose.yml");
    let services = compose["services"].as_object().unwrap();
    let (grafana, prometheus) = (document(DATASOURCES), document(PROMETHEUS));
    let mut addresses = Vec::new();
    for source in list(&grafana, "/datasources") {
        addresses.push(text(source, "/url").strip_prefix("http://").unwrap());
    }
    let scraped = list(&prometheus, "/scrape_configs").iter();
    let alertmanagers = list(&prometheus, "/alerting/alertmanagers").iter();
    for target in scraped.chain(alertmanagers) {
        addresses.push(text(target, "/static_configs/0/targets/0"));
    }
    assert_eq!(addresses.len(), 6);
    for address in addresses {
        let (host, port) = address.split_once(':').unwrap();
        let service = if host == "localhost" {
            "prometheus"
        } else {
            host
        };
        let published = list(&services[service], "/ports").iter();
        let inside = |port: &Value| {
            port.as_str()
                .unwrap()
                .rsplit(':')
                .next()
                .unwrap()
                .to_owned()
        };
        assert!(
            published.map(inside).any(|inside| inside == port),
            "{address}"
        );
    }
}

#[test]
fn compose_mounts_the_dashboards_at_grafanas_path() {
    let compose = document("deploy/compose/docker-compose.yml");
    let provider = document(DASHBOARDS);
    let folder = text(&provider, "/providers/0/options/path");
    let grafana = &compose["services"]["grafana"];
    let mounts = list(grafana, "/volumes").iter();
    let mounts: Vec<_> = mounts.map(|mount| mount.as_str().unwrap()).collect();
    for name in ["vigie.json", "vigie-details.json"] {
        // Grafana logs an error for each .json file that is not a dashboard, so each file is mounted separately.
        let mount = format!("../../dashboards/{name}:{folder}/{name}:ro");
        assert!(mounts.contains(&&*mount), "{mount}");
    }
    let home = text(
        grafana,
        "/environment/GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH",
    );
    assert_eq!(home, format!("{folder}/vigie.json"));
}
