//! Vigie on the host of the app: the unit of systemd, and nginx in front of the app.

use std::fs;

use vigie_config::Settings;
use vigie_testkit::tools::NGINX;

use crate::support::{read, root, run, settings};

const UNIT: &str = "deploy/systemd/vigie.service";
const FILE: &str = "deploy/systemd/vigie.toml";
const SITE: &str = "deploy/nginx/app.conf";

/// The values of a key of the unit.
fn values(key: &str) -> Vec<String> {
    let begin = format!("{key}=");
    let text = read(UNIT);
    let lines = text.lines().filter_map(|line| line.strip_prefix(&begin));
    lines.map(str::to_owned).collect()
}

fn value(key: &str) -> String {
    let [value] = values(key).try_into().unwrap();
    value
}

fn unit_settings() -> Settings {
    let start = value("ExecStart");
    let mut words = start.split(' ');
    assert_eq!(words.next(), Some("/usr/local/bin/vigie"));
    let arguments: Vec<_> = words.collect();
    let environment = ["REDIS_URL", "DATABASE_URL"].map(str::to_owned);
    let addresses = ["redis://redis:6379", "postgres://vigie@postgres/app"].map(str::to_owned);
    let environment = environment.into_iter().zip(addresses).collect();
    settings(&arguments, environment, Some(&root().join(FILE)))
}

#[test]
fn the_unit_grants_one_needed_capability_to_an_unprivileged_user() {
    assert_eq!(value("DynamicUser"), "yes");
    assert_eq!(value("NoNewPrivileges"), "yes");
    let granted = value("AmbientCapabilities");
    assert_eq!(granted, "CAP_NET_RAW CAP_SYS_NICE");
    assert_eq!(value("CapabilityBoundingSet"), granted);
    let families = value("RestrictAddressFamilies");
    assert!(families.split(' ').any(|family| family == "AF_PACKET"));
}

#[test]
fn the_unit_starts_vigie_with_its_file_and_lets_it_stop() {
    let settings = unit_settings();
    let listen = &settings.capture.as_ref().unwrap().source.listen;
    assert_eq!(listen[0].to_string(), "lo:3000");
    assert_eq!(settings.unwatched(), [""; 0]);
    let state = format!("/var/lib/{}/", value("StateDirectory"));
    assert!(settings.history.path.as_ref().unwrap().starts_with(state));
    let credential = value("LoadCredential");
    let (name, _) = credential.split_once(':').unwrap();
    assert!(value("ExecStart").ends_with(&format!("${{CREDENTIALS_DIRECTORY}}/{name}")));
    let limit: u64 = value("TimeoutStopSec").parse().unwrap();
    assert!(limit > vigie::app::stops_within(&settings).as_secs());
}

#[test]
fn nginx_accepts_the_site_and_forwards_to_the_captured_port() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let file = place.join("nginx.conf");
    let site = root().join(SITE);
    let config = format!(
        "error_log stderr;\npid {0}/pid;\nevents {{}}\nhttp {{\n\
         client_body_temp_path {0}/a;\nproxy_temp_path {0}/b;\nfastcgi_temp_path {0}/c;\n\
         uwsgi_temp_path {0}/d;\nscgi_temp_path {0}/e;\naccess_log off;\ninclude {1};\n}}\n",
        place.display(),
        site.display()
    );
    // Checking opens the port.
    let copy = place.join("app.conf");
    let port = vigie_testkit::ports::free();
    let listen = format!("listen 127.0.0.1:{port};");
    fs::write(&copy, read(SITE).replace("listen 80;", &listen)).unwrap();
    let config = config.replace(site.to_str().unwrap(), copy.to_str().unwrap());
    fs::write(&file, config).unwrap();
    let arguments = [
        "-t",
        "-q",
        "-p",
        place.to_str().unwrap(),
        "-c",
        file.to_str().unwrap(),
    ];
    run(NGINX, &arguments, place);
    let listen = unit_settings().capture.unwrap().source.listen;
    assert!(read(SITE).contains(&format!("server 127.0.0.1:{};", listen[0].port)));
}
