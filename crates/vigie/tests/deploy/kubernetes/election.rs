//! The only folder in which Vigie uses the Kubernetes API: it has the permissions that an election needs, and no
//! others.

use serde_json::{Value, json};
use vigie_config::{Exporter, LeaseIn};

use super::{of_kind, pods, rendered};
use crate::support::{list, number, text};

fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let [object] = of_kind(objects, kind)[..] else {
        panic!("{kind}: {objects:?}")
    };
    object
}

#[test]
fn the_account_may_hold_the_lease_that_the_settings_name() {
    let objects = rendered("deploy/kubernetes/queues-elected");
    let deployment = one(&objects, "Deployment");
    let queues = pods::settings_of(deployment, &objects).queues;
    assert_eq!(queues.exporter, Exporter::Elected);
    assert_eq!(queues.lease_in, LeaseIn::Kubernetes);
    assert_eq!(queues.lease_namespace, None, "the Role is in the Pods' own");
    assert_eq!(number(deployment, "/spec/replicas"), 2);

    let lease = |rule: &Value| {
        assert_eq!(rule["apiGroups"], json!(["coordination.k8s.io"]));
        assert_eq!(rule["resources"], json!(["leases"]));
        (rule["resourceNames"].clone(), rule["verbs"].clone())
    };
    let role = one(&objects, "Role");
    let rules: Vec<_> = list(role, "/rules").iter().map(lease).collect();
    let expected = [
        (json!([queues.lease_name]), json!(["get", "update"])),
        (Value::Null, json!(["create"])),
    ];
    assert_eq!(rules, expected);

    let binding = one(&objects, "RoleBinding");
    assert_eq!(binding["roleRef"]["kind"], "Role");
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
    let account = one(&objects, "ServiceAccount");
    let name = text(account, "/metadata/name");
    let subject = json!([{"kind": "ServiceAccount", "name": name}]);
    assert_eq!(binding["subjects"], subject);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], name);
}

#[test]
fn the_api_server_is_within_reach() {
    let objects = rendered("deploy/kubernetes/queues-elected");
    let policy = one(&objects, "NetworkPolicy");
    let [rule] = list(policy, "/spec/egress") else {
        panic!("{policy:#}")
    };
    let ports: Vec<_> = list(rule, "/ports")
        .iter()
        .map(|port| port["port"].as_u64())
        .collect();
    for port in [53, 443, 6443, 6379] {
        assert!(ports.contains(&Some(port)), "{port}: {ports:?}");
    }
}
