//! The Pods: start order, probes, permissions and settings.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vigie_config::Settings;

use super::{
    RUNNING, captures, containers, entry, labels, of_kind, port, rendered, selects, vigie,
};
use crate::support::{document, list, name, number, settings, text};

/// Every Deployment in the folders that run Vigie, with the objects rendered beside it.
fn deployments() -> Vec<(&'static str, Value, Vec<Value>)> {
    let mut found = Vec::new();
    for folder in RUNNING {
        let objects = rendered(folder);
        for deployment in of_kind(&objects, "Deployment") {
            let folder = name(Path::new(folder));
            found.push((folder, deployment.clone(), objects.clone()));
        }
    }
    assert_eq!(found.len(), 7);
    found
}

#[test]
fn vigie_is_a_sidecar_that_starts_before_the_app_or_beside_it() {
    for (folder, deployment, _) in deployments() {
        let pod = &deployment["spec"]["template"]["spec"];
        let (before, beside) = (list(pod, "/initContainers"), list(pod, "/containers"));
        let vigie = vigie(&deployment);
        let expected = match (folder, text(&deployment, "/metadata/name")) {
            (_, "vigie-queues") => (0, 1, None),
            ("older-clusters", "app") => (0, 2, None),
            ("base" | "capture" | "queues-once", "app") => (1, 1, Some("Always")),
            other => panic!("{other:?}"),
        };
        let policy = vigie
            .get("restartPolicy")
            .map(|policy| policy.as_str().unwrap());
        assert_eq!((before.len(), beside.len(), policy), expected, "{folder}");
    }
}

#[test]
fn deployments_find_their_own_pods() {
    for (folder, deployment, _) in deployments() {
        assert!(
            selects(&deployment, "/spec/selector/matchLabels", &deployment),
            "{folder}"
        );
    }
}

#[test]
fn startup_and_liveness_do_not_depend_on_the_app() {
    for (_, deployment, _) in deployments() {
        let vigie = vigie(&deployment);
        let metrics = port(vigie, "http-metrics").unwrap();
        for (probe, path) in [
            ("startupProbe", "/healthz"),
            ("livenessProbe", "/healthz"),
            ("readinessProbe", "/readyz"),
        ] {
            // The whole probe: no other request, command or host.
            let asked = json!({"path": path, "port": metrics});
            assert_eq!(vigie[probe]["httpGet"], asked, "{probe}");
        }
        // The startup probe must last longer than Vigie may take to start.
        let start = &vigie["startupProbe"];
        assert!(number(start, "/periodSeconds") * number(start, "/failureThreshold") >= 30);
    }
}

#[test]
fn ports_have_names_that_kubernetes_takes() {
    for (_, deployment, _) in deployments() {
        for container in containers(&deployment) {
            for port in list(container, "/ports") {
                let name = text(port, "/name");
                // RFC 6335, section 5.1: at most 15 characters, at least one letter.
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                assert!(name.len() <= 15 && name.chars().all(allowed), "{name}");
                assert!(name.contains(|c: char| c.is_ascii_lowercase()), "{name}");
            }
        }
    }
}

#[test]
fn vigie_has_no_privileges_but_those_to_capture() {
    for (folder, deployment, _) in deployments() {
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(
            pod["securityContext"],
            json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
        );
        // Only an election uses the Kubernetes API.
        let token = folder == "queues-elected";
        assert_eq!(pod["automountServiceAccountToken"], json!(token));
        assert_eq!(captures(&deployment), folder == "capture");
        let user = crate::image::user();
        let expected = match captures(&deployment) {
            false => json!({
                "runAsUser": user,
                "runAsGroup": user,
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            }),
            // One capability, which only root gets.
            true => json!({
                "runAsNonRoot": false,
                "runAsUser": 0,
                "runAsGroup": 0,
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
            }),
        };
        assert_eq!(vigie(&deployment)["securityContext"], expected);
        for container in containers(&deployment) {
            assert_eq!(
                container["securityContext"]["allowPrivilegeEscalation"],
                json!(false)
            );
            assert!(container["resources"]["requests"]["cpu"].is_string());
            assert!(container["resources"]["requests"]["memory"].is_string());
        }
    }
}

#[test]
fn references_of_pods_exist() {
    let example = document("deploy/kubernetes/base/secret.example.yaml");
    for (_, deployment, objects) in deployments() {
        let volumes = list(&deployment, "/spec/template/spec/volumes");
        for container in containers(&deployment) {
            for mount in list(container, "/volumeMounts") {
                assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]));
            }
            for variable in list(container, "/env") {
                if let Some(from) = variable.get("valueFrom") {
                    let secret = text(from, "/secretKeyRef/name");
                    assert_eq!(secret, text(&example, "/metadata/name"));
                    let keys = labels(&example, "/stringData");
                    assert!(keys.contains_key(text(from, "/secretKeyRef/key")));
                }
            }
        }
        for volume in volumes {
            let name = text(volume, "/configMap/name");
            let mut maps = of_kind(&objects, "ConfigMap").into_iter();
            assert!(
                maps.any(|map| text(map, "/metadata/name") == name),
                "{name}"
            );
        }
    }
}

#[test]
fn vigie_accepts_its_settings_and_listens_on_the_declared_ports() {
    for (folder, deployment, objects) in deployments() {
        let settings = settings_of(&deployment, &objects);
        let vigie = vigie(&deployment);
        assert!(!settings.admin.listen.ip().is_loopback());
        let port_of = |listen: std::net::SocketAddr| Some(u64::from(listen.port()));
        assert_eq!(port_of(settings.admin.listen), port(vigie, "http-metrics"));
        let gateway = settings.gateway.as_ref();
        assert!(gateway.is_none_or(|gateway| !gateway.listen.ip().is_loopback()));
        assert_eq!(
            gateway.and_then(|gateway| port_of(gateway.listen)),
            port(vigie, "http-gateway")
        );
        if let Some(capture) = &settings.capture {
            let listen = capture.source.listen.iter();
            let ports: Vec<_> = listen.map(|listen| u64::from(listen.port)).collect();
            assert_eq!(ports, [entry(&deployment).unwrap()]);
        }
        let unwatched: &[&str] = match (folder, text(&deployment, "/metadata/name")) {
            (_, "vigie-queues") => &["gateway", "database"],
            ("queues-once", _) => &["redis", "tick"],
            _ => &[],
        };
        assert_eq!(settings.unwatched(), unwatched, "{folder}");
    }
}

#[test]
fn elected_deployments_expose_each_queue_once() {
    let objects = rendered("deploy/kubernetes/queues-once");
    let deployments = of_kind(&objects, "Deployment");
    let showing = deployments
        .iter()
        .filter(|deployment| settings_of(deployment, &objects).redis.is_some());
    let replicas: Vec<_> = showing
        .map(|shown| number(shown, "/spec/replicas"))
        .collect();
    assert_eq!(replicas, [1]);
}

#[test]
fn the_termination_grace_period_is_sufficient() {
    for (folder, deployment, objects) in deployments() {
        let settings = settings_of(&deployment, &objects);
        let seconds = number(
            &deployment,
            "/spec/template/spec/terminationGracePeriodSeconds",
        );
        let app = containers(&deployment)
            .into_iter()
            .find(|container| text(container, "/name") == "app");
        let pause = app.map_or(0, |app| {
            let pause = text(app, "/lifecycle/preStop/exec/command/1");
            pause.parse().unwrap()
        });
        let vigie = vigie::app::stops_within(&settings).as_secs();
        if folder == "older-clusters" && app.is_some() {
            // Both end at the same time: the app outlives the last request that Vigie accepts.
            assert!(settings.shutdown.delay.as_secs() >= 5);
            assert!(pause > settings.shutdown.delay.as_secs());
            assert!(seconds > pause.max(vigie));
        } else {
            // One ends after the other.
            assert!(seconds > pause + vigie);
        }
    }
}

/// The settings of Vigie in the Pods of a Deployment.
pub(super) fn settings_of(deployment: &Value, objects: &[Value]) -> Settings {
    let vigie = vigie(deployment);
    let arguments: Vec<_> = list(vigie, "/args")
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();

    let mount = &list(vigie, "/volumeMounts")[0];
    let volumes = list(deployment, "/spec/template/spec/volumes");
    let volume = volumes
        .iter()
        .find(|volume| volume["name"] == mount["name"]);
    let map = text(volume.unwrap(), "/configMap/name");
    let maps = of_kind(objects, "ConfigMap");
    let map = maps
        .iter()
        .find(|found| text(found, "/metadata/name") == map);
    let folder = text(mount, "/mountPath");
    let path = arguments.last().unwrap();
    let key = path.strip_prefix(folder).unwrap().trim_start_matches('/');

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(key);
    std::fs::write(&file, &labels(map.unwrap(), "/data")[key]).unwrap();

    let example = document("deploy/kubernetes/base/secret.example.yaml");
    let secrets: BTreeMap<_, _> = labels(&example, "/stringData");
    let variable = |variable: &Value| {
        let value = match variable.get("value") {
            Some(value) => value.as_str().unwrap().to_owned(),
            None => secrets[text(variable, "/valueFrom/secretKeyRef/key")].clone(),
        };
        (text(variable, "/name").to_owned(), value)
    };
    let environment = list(vigie, "/env").iter().map(variable).collect();
    settings(&arguments, environment, Some(&file))
}
