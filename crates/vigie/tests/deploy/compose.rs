//! The compose file, as `docker-compose` resolves it.

use std::path::Path;

use serde_json::{Value, json};
use vigie_testkit::tools::DOCKER_COMPOSE;

use crate::support::{documents, list, root, run, settings, text};

const FOLDER: &str = "deploy/compose";

fn resolved() -> Value {
    resolve("docker-compose.yml")
}

fn resolve(file: &str) -> Value {
    let arguments = ["-f", file, "config"];
    let folder = root().join(FOLDER);
    let [document] = documents(&run(DOCKER_COMPOSE, &arguments, &folder))
        .try_into()
        .unwrap();
    document
}

fn services(compose: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let services = compose["services"].as_object().unwrap();
    services
        .iter()
        .map(|(name, service)| (name.as_str(), service))
}

/// Parses `SOURCE:TARGET:MODE`, or the longer form that newer versions print.
fn mount(volume: &Value) -> (String, bool) {
    if let Some(volume) = volume.as_str() {
        let source = volume.split(':').next().unwrap();
        return (source.to_owned(), volume.ends_with(":ro"));
    }
    (
        text(volume, "/source").to_owned(),
        volume["read_only"] == true,
    )
}

#[test]
fn files_are_mounted_as_they_are_and_cannot_be_written() {
    let compose = resolved();
    let mut files = 0;
    for (_, service) in services(&compose) {
        for volume in list(service, "/volumes") {
            let (source, read_only) = mount(volume);
            if !source.starts_with('/') {
                let volumes = compose["volumes"].as_object().unwrap();
                assert!(volumes.contains_key(&source), "{source}");
                continue;
            }
            let source = Path::new(&source);
            // The user creates the secrets.
            assert!(source.exists() || source.ends_with("secrets"), "{source:?}");
            assert!(source.starts_with(root()) && read_only, "{source:?}");
            files += 1;
        }
    }
    assert_eq!(files, 7);
}

#[test]
fn nothing_is_open_to_the_network() {
    let compose = resolved();
    for (name, service) in services(&compose) {
        let ports = list(service, "/ports");
        assert!(!ports.is_empty(), "{name}");
        for port in ports {
            let is_local = port.as_str().map_or_else(
                || port["host_ip"] == "127.0.0.1",
                |port| port.starts_with("127.0.0.1:"),
            );
            assert!(is_local, "{port}");
        }
    }
}

#[test]
fn images_have_a_version_a_digest_and_a_health_check() {
    let compose = resolved();
    for (name, service) in services(&compose) {
        let (image, digest) = match text(service, "/image").split_once("@sha256:") {
            Some((image, digest)) => (image, Some(digest)),
            None => (text(service, "/image"), None),
        };
        // Vigie's image is built here.
        assert_eq!(digest.is_none(), name == "vigie", "{name}");
        assert!(digest.is_none_or(crate::image::is_digest), "{name}");
        let (_, version) = image.split_once(':').unwrap();
        let digits = version.trim_start_matches('v').split('.');
        assert_eq!(digits.filter(|part| part.parse::<u32>().is_ok()).count(), 3);
        // Vigie's image contains no program that could probe it.
        assert_eq!(
            service.get("healthcheck").is_none(),
            name == "vigie",
            "{name}"
        );
    }
}

/// The environment of a service.
fn variables(service: &Value) -> Vec<(String, String)> {
    let variables = service["environment"].as_object().unwrap();
    let variable = |(name, value): (&String, &Value)| {
        (name.clone(), value.as_str().unwrap_or_default().to_owned())
    };
    variables.iter().map(variable).collect()
}

#[test]
fn vigie_accepts_its_configuration() {
    let compose = resolved();
    let vigie = &compose["services"]["vigie"];
    let words = list(vigie, "/command").iter();
    let arguments: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
    let read = settings(&arguments, variables(vigie), None);
    assert_eq!(read.unwatched(), ["database"]);
    assert_eq!(read.admin.listen.to_string(), "0.0.0.0:9850");
    assert_eq!(read.gateway.unwrap().listen.to_string(), "0.0.0.0:8080");
}

#[test]
fn vigie_has_the_time_to_stop() {
    let compose = resolved();
    let vigie = &compose["services"]["vigie"];
    let words = list(vigie, "/command").iter();
    let arguments: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
    let read = settings(&arguments, variables(vigie), None);
    let within = vigie::app::stops_within(&read);
    let period = text(vigie, "/stop_grace_period");
    let period: jiff::SignedDuration = period.parse().unwrap();
    assert!(period.unsigned_abs() > within, "{period:?} {within:?}");
}

/// In the network namespace of the app, with one capability.
#[test]
fn the_capture_is_beside_the_app() {
    let compose = resolve("capture.yml");
    let vigie = &compose["services"]["vigie"];
    assert_eq!(vigie["network_mode"], "service:app");
    assert_eq!(vigie["cap_drop"], json!(["ALL"]));
    assert_eq!(vigie["cap_add"], json!(["NET_RAW"]));
    assert_eq!(vigie["user"], "0:0");
    assert!(list(vigie, "/ports").is_empty(), "{vigie}");

    let words = list(vigie, "/command").iter();
    let arguments: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
    let read = settings(&arguments, variables(vigie), None);
    let listen = read.capture.as_ref().unwrap().source.listen.clone();
    let app = &compose["services"]["app"];
    let published: Vec<_> = list(app, "/ports").iter().map(published).collect();
    assert_eq!(published, [listen[0].port, read.admin.listen.port()]);
    assert_eq!(text(app, "/environment/PORT"), listen[0].port.to_string());
    let within = vigie::app::stops_within(&read);
    let period = text(vigie, "/stop_grace_period");
    let period: jiff::SignedDuration = period.parse().unwrap();
    assert!(period.unsigned_abs() > within, "{period:?} {within:?}");
}

/// The port in the container of a port that is published on this machine only.
fn published(port: &Value) -> u16 {
    match port.as_str() {
        Some(port) => {
            let (host, inside) = port.rsplit_once(':').unwrap();
            assert!(host.starts_with("127.0.0.1:"), "{port}");
            // Older versions print the protocol.
            inside.trim_end_matches("/tcp").parse().unwrap()
        }
        None => {
            assert_eq!(port["host_ip"], "127.0.0.1");
            port["target"].as_u64().unwrap().try_into().unwrap()
        }
    }
}
