//! Objects of the Prometheus operator, KEDA and prometheus-adapter. No dependency has their types, so all field names
//! are listed here, from their documentation.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vigie_testkit::tools::PROMTOOL;

use super::{RUNNING, of_kind, port, rendered, selects, vigie};
use crate::support::{document, list, run, text};

/// The names of an object's fields, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let fields = object.as_object().unwrap_or_else(|| panic!("{object:#}"));
    let mut keys: Vec<_> = fields.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_pod_monitor_finds_every_vigie_by_its_ports_name() {
    let objects = rendered("deploy/kubernetes/monitoring");
    let [monitor] = of_kind(&objects, "PodMonitor")[..] else {
        panic!("{objects:?}")
    };
    assert_eq!(keys(&monitor["spec"]), ["podMetricsEndpoints", "selector"]);
    let [endpoint] = list(monitor, "/spec/podMetricsEndpoints") else {
        panic!("{monitor:#}")
    };
    for folder in RUNNING {
        let objects = rendered(folder);
        for deployment in of_kind(&objects, "Deployment") {
            assert!(selects(monitor, "/spec/selector/matchLabels", deployment));
            let name = text(endpoint, "/port");
            assert!(port(vigie(deployment), name).is_some(), "{name}");
        }
    }
    // The same target as in prometheus.yml.
    let prometheus = document("deploy/prometheus/prometheus.yml");
    assert_eq!(
        *endpoint,
        json!({
            "port": "http-metrics",
            "interval": prometheus["global"]["scrape_interval"],
            "relabelings": [{
                "targetLabel": "job",
                "replacement": prometheus["scrape_configs"][0]["job_name"],
            }],
        })
    );
}

#[test]
fn scalers_query_one_value_for_all_replicas() {
    let keda = rendered("deploy/kubernetes/scaling/keda");
    let keda = text(&keda[0], "/spec/triggers/0/metadata/query");
    let adapter = document("deploy/kubernetes/scaling/prometheus-adapter/external-rules.yaml");
    let rule = &adapter["externalRules"][0];
    // As prometheus-adapter expands it.
    let adapter = text(rule, "/metricsQuery")
        .replace("<<.Series>>", "queue_jobs_total")
        .replace("<<.LabelMatchers>>", r#"namespace="default",queue="mail""#);
    assert!(!adapter.contains("<<"), "{adapter}");

    let mut rules = String::from("groups:\n- name: scaling\n  rules:\n");
    for (at, query) in [keda, &adapter, text(rule, "/seriesQuery")]
        .iter()
        .enumerate()
    {
        write!(rules, "  - record: query{at}\n    expr: '{query}'\n").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("scaling.yml"), rules).unwrap();
    run(
        PROMTOOL,
        &["check", "rules", "scaling.yml"],
        directory.path(),
    );

    for query in [keda, &adapter] {
        assert!(
            query.starts_with("max") && !query.contains("sum"),
            "{query}"
        );
        assert!(query.contains(r#"state="waiting""#), "{query}");
    }
}

#[test]
fn the_scaled_object_keeps_its_replicas_when_values_are_unknown() {
    let objects = rendered("deploy/kubernetes/scaling/keda");
    let spec = &objects[0]["spec"];
    assert_eq!(
        keys(spec),
        [
            "cooldownPeriod",
            "maxReplicaCount",
            "minReplicaCount",
            "pollingInterval",
            "scaleTargetRef",
            "triggers"
        ]
    );
    let trigger = &spec["triggers"][0];
    assert_eq!(keys(trigger), ["metadata", "type"]);
    assert_eq!(
        keys(&trigger["metadata"]),
        ["ignoreNullValues", "query", "serverAddress", "threshold"]
    );
    // KEDA requires all of these to be strings.
    let metadata = trigger["metadata"].as_object().unwrap();
    assert!(metadata.values().all(Value::is_string), "{metadata:?}");
    assert_eq!(trigger["type"], "prometheus");
    assert_eq!(trigger["metadata"]["ignoreNullValues"], "false");
    assert!(text(trigger, "/metadata/threshold").parse::<f64>().unwrap() > 0.0);
}

/// The fields of KEDA's metrics-api trigger: <https://keda.sh/docs/2.15/scalers/metrics-api/>.
#[test]
fn the_other_scaled_object_is_allowed_to_query_vigie() {
    let queues_only = rendered("deploy/kubernetes/queues-only");
    let [deployment] = of_kind(&queues_only, "Deployment")[..] else {
        panic!("{queues_only:?}")
    };
    let objects = rendered("deploy/kubernetes/scaling/keda-metrics-api");
    let one = |kind| {
        let [object] = of_kind(&objects, kind)[..] else {
            panic!("{kind}: {objects:?}")
        };
        object
    };
    let admin = port(vigie(deployment), "http-metrics");
    let service = one("Service");
    assert!(selects(service, "/spec/selector", deployment));
    let [target] = list(service, "/spec/ports") else {
        panic!("{service:#}")
    };
    assert_eq!(target["targetPort"].as_u64(), admin);
    let policy = one("NetworkPolicy");
    assert!(selects(policy, "/spec/podSelector/matchLabels", deployment));
    let [rule] = list(policy, "/spec/ingress") else {
        panic!("{policy:#}")
    };
    assert_eq!(rule["ports"], json!([{ "port": admin }]));
    assert_eq!(list(rule, "/from").len(), 1);

    let [trigger] = list(one("ScaledObject"), "/spec/triggers") else {
        panic!("{objects:?}")
    };
    assert_eq!(keys(trigger), ["metadata", "type"]);
    assert_eq!(trigger["type"], "metrics-api");
    let metadata = &trigger["metadata"];
    assert_eq!(keys(metadata), ["targetValue", "url", "valueLocation"]);
    assert!(text(metadata, "/targetValue").parse::<f64>().unwrap() > 0.0);
    let host = text(service, "/metadata/name");
    let port = &target["port"];
    let url = format!("http://{host}.default.svc:{port}/queues?queue=mail");
    assert_eq!(text(metadata, "/url"), url);
    // The e2e test `scalers` reads the same path in a real response.
    assert_eq!(text(metadata, "/valueLocation"), "queues.mail.waiting");
}

#[test]
fn the_autoscaler_uses_the_metric_of_the_adapter() {
    let objects = rendered("deploy/kubernetes/scaling/prometheus-adapter");
    let metric = &objects[0]["spec"]["metrics"][0]["external"]["metric"];
    let adapter = document("deploy/kubernetes/scaling/prometheus-adapter/external-rules.yaml");
    assert_eq!(metric["name"], adapter["externalRules"][0]["name"]["as"]);
}
