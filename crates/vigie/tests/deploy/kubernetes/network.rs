//! Network access: services and policies.

use serde_json::Value;

use super::{RUNNING, captures, containers, entry, of_kind, port, rendered, selects, vigie};
use crate::support::{list, text};

fn found<'a>(object: &Value, pointer: &str, objects: &'a [Value]) -> &'a Value {
    let deployments = of_kind(objects, "Deployment");
    let mut found = deployments
        .into_iter()
        .filter(|deployment| selects(object, pointer, deployment));
    let first = found
        .next()
        .unwrap_or_else(|| panic!("{object:#} finds no Pod"));
    assert!(found.next().is_none(), "{object:#} finds Pods of two kinds");
    first
}

#[test]
fn services_lead_to_the_gateway_or_the_captured_app_by_number() {
    let mut services = 0;
    for folder in RUNNING {
        let objects = rendered(folder);
        for service in of_kind(&objects, "Service") {
            let deployment = found(service, "/spec/selector", &objects);
            for target in list(service, "/spec/ports") {
                // Before Kubernetes 1.32 a name is not resolved among the ports of a sidecar.
                assert_eq!(target["targetPort"].as_u64(), entry(deployment));
                services += 1;
            }
        }
    }
    assert_eq!(services, 4);
}

#[test]
fn the_entry_is_open_and_the_metrics_are_for_prometheus() {
    for folder in RUNNING {
        let objects = rendered(folder);
        let policies = of_kind(&objects, "NetworkPolicy");
        assert_eq!(policies.len(), of_kind(&objects, "Deployment").len());
        for policy in policies {
            let deployment = found(policy, "/spec/podSelector/matchLabels", &objects);
            let vigie = vigie(deployment);
            let open = |rule: &Value| {
                let [port] = list(rule, "/ports") else {
                    panic!("{rule:#}")
                };
                (port["port"].as_u64(), rule.get("from").is_none())
            };
            let open: Vec<_> = list(policy, "/spec/ingress").iter().map(open).collect();
            let mut expected = vec![(port(vigie, "http-metrics"), false)];
            expected.splice(0..0, entry(deployment).map(|entry| (Some(entry), true)));
            assert_eq!(open, expected, "{}", text(policy, "/metadata/name"));
        }
    }
}

#[test]
fn the_app_is_reachable_only_through_the_gateway() {
    for folder in RUNNING {
        let objects = rendered(folder);
        let deployments = of_kind(&objects, "Deployment").into_iter();
        for deployment in deployments.filter(|deployment| !captures(deployment)) {
            for container in containers(deployment) {
                if text(container, "/name") == "app" {
                    assert_eq!(list(container, "/ports"), [] as [Value; 0]);
                    let env = list(container, "/env");
                    assert!(env.iter().any(|env| env["value"] == "127.0.0.1"));
                }
            }
        }
    }
}
