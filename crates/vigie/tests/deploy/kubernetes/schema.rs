//! Kubernetes silently drops unknown fields; here they are failures.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{folders, rendered};
use crate::support::{document, text};

#[test]
fn every_folder_renders_to_valid_kubernetes_objects() {
    let folders = folders();
    assert_eq!(
        folders,
        [
            "deploy/kubernetes/base",
            "deploy/kubernetes/capture",
            "deploy/kubernetes/monitoring",
            "deploy/kubernetes/older-clusters",
            "deploy/kubernetes/queues-elected",
            "deploy/kubernetes/queues-once",
            "deploy/kubernetes/queues-only",
            "deploy/kubernetes/scaling/keda-metrics-api",
            "deploy/kubernetes/scaling/keda",
            "deploy/kubernetes/scaling/prometheus-adapter",
            "dashboards"
        ]
    );
    for folder in folders {
        let objects = rendered(&folder);
        assert!(!objects.is_empty(), "{folder}");
        objects.iter().for_each(is_known);
        // `kubectl apply` stores a copy of each object in an annotation, whose size is limited.
        assert!(
            objects
                .iter()
                .all(|object| object.to_string().len() < 200 << 10)
        );
    }
    is_known(&document("deploy/kubernetes/base/secret.example.yaml"));
}

fn is_known(object: &Value) {
    match (text(object, "/apiVersion"), text(object, "/kind")) {
        ("v1", "ConfigMap") => comes_back::<ConfigMap>(object),
        ("v1", "Secret") => comes_back::<Secret>(object),
        ("v1", "Service") => comes_back::<Service>(object),
        ("v1", "ServiceAccount") => comes_back::<ServiceAccount>(object),
        ("rbac.authorization.k8s.io/v1", "Role") => comes_back::<Role>(object),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => comes_back::<RoleBinding>(object),
        ("apps/v1", "Deployment") => comes_back::<Deployment>(object),
        ("networking.k8s.io/v1", "NetworkPolicy") => comes_back::<NetworkPolicy>(object),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => {
            comes_back::<HorizontalPodAutoscaler>(object);
        }
        // Objects of operators: see the sibling modules.
        ("monitoring.coreos.com/v1", "PodMonitor" | "PrometheusRule")
        | ("keda.sh/v1alpha1", "ScaledObject") => {}
        other => panic!("nothing checks {other:?}"),
    }
}

/// Asserts that the value survives a round trip through its type: unknown fields would be dropped, missing ones added,
/// and values of a wrong type rejected.
fn comes_back<T: DeserializeOwned + Serialize>(object: &Value) {
    let typed: T = serde_json::from_value(object.clone())
        .unwrap_or_else(|error| panic!("{error} in {object:#}"));
    assert_eq!(&serde_json::to_value(typed).unwrap(), object);
}

#[test]
#[should_panic(expected = "left == right")]
fn a_misspelt_field_is_found() {
    let mut objects = rendered("deploy/kubernetes/base");
    let deployment = objects
        .iter_mut()
        .find(|object| object["kind"] == "Deployment")
        .unwrap();
    let spec = &mut deployment["spec"]["template"]["spec"];
    spec["initContainers"][0]["startUpProbe"] = spec["initContainers"][0]["startupProbe"].take();
    is_known(deployment);
}
