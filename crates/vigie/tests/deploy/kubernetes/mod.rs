//! Every kustomization is rendered by `kubectl kustomize`, and the result is checked.

mod dashboards;
mod election;
mod network;
mod operators;
mod pods;
mod rules;
mod schema;

use std::collections::BTreeMap;

use serde_json::Value;
use vigie_testkit::tools::KUBECTL;

use crate::support::{documents, files, list, root, run, text};

/// The folders with Deployments that run Vigie.
const RUNNING: [&str; 6] = [
    "deploy/kubernetes/base",
    "deploy/kubernetes/capture",
    "deploy/kubernetes/older-clusters",
    "deploy/kubernetes/queues-only",
    "deploy/kubernetes/queues-once",
    "deploy/kubernetes/queues-elected",
];

/// The objects that `kubectl apply -k` would send.
fn rendered(folder: &str) -> Vec<Value> {
    documents(&run(KUBECTL, &["kustomize", "."], &root().join(folder)))
}

/// Every folder with a kustomization.
fn folders() -> Vec<String> {
    let is_one = |name: &str| name.ends_with("/kustomization.yaml");
    let mut found = files("deploy", is_one);
    found.extend(files("dashboards", is_one));
    let folder = |file: &String| file.strip_suffix("/kustomization.yaml").unwrap().to_owned();
    found.iter().map(folder).collect()
}

/// The objects of a kind.
fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let is = |object: &&Value| text(object, "/kind") == kind;
    objects.iter().filter(is).collect()
}

/// The labels at a pointer.
fn labels(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let found = object.pointer(pointer).and_then(Value::as_object);
    let found = found.unwrap_or_else(|| panic!("no labels at {pointer} of {object:#}"));
    let pair = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap().into());
    found.iter().map(pair).collect()
}

/// Whether the selector at a pointer matches the Pods of a Deployment. An empty selector matches every Pod, which is
/// never intended here.
fn selects(object: &Value, pointer: &str, deployment: &Value) -> bool {
    let wanted = labels(object, pointer);
    let found = labels(deployment, "/spec/template/metadata/labels");
    assert!(!wanted.is_empty(), "{object:#}");
    wanted
        .iter()
        .all(|(name, value)| found.get(name) == Some(value))
}

/// All containers of a Deployment's Pods, init containers first.
fn containers(deployment: &Value) -> Vec<&Value> {
    let at = |field| list(deployment, &format!("/spec/template/spec/{field}"));
    at("initContainers")
        .iter()
        .chain(at("containers"))
        .collect()
}

/// The Vigie container of a Deployment's Pods.
fn vigie(deployment: &Value) -> &Value {
    let is = |container: &&&Value| text(container, "/name") == "vigie";
    let found: Vec<_> = containers(deployment);
    let found: Vec<_> = found.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{deployment:#}");
    found[0]
}

/// Whether the Vigie of a Deployment captures packets, so that the app receives its requests itself.
fn captures(deployment: &Value) -> bool {
    let added = vigie(deployment).pointer("/securityContext/capabilities/add");
    added.is_some()
}

/// The port that clients connect to: of the gateway, or of the app.
fn entry(deployment: &Value) -> Option<u64> {
    if !captures(deployment) {
        return port(vigie(deployment), "http-gateway");
    }
    let containers = containers(deployment);
    let app = containers
        .iter()
        .find(|found| text(found, "/name") == "app");
    port(app?, "http")
}

/// The number of a container's port.
fn port(container: &Value, name: &str) -> Option<u64> {
    let mut ports = list(container, "/ports").iter();
    let port = ports.find(|port| port["name"] == name)?;
    port["containerPort"].as_u64()
}
