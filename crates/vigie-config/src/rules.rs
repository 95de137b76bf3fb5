//! Validation across keys and sections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::uri::Authority;
use vigie_redis::Endpoint;

use crate::problem::Problem;
use crate::reader::Reader;
use crate::settings::Settings;

pub(crate) fn check(settings: &Settings, r: &mut Reader) {
    two_listeners(settings, r);
    two_sources(settings, r);
    capture_of_nothing(settings, r);
    forwarding_to_itself(settings, r);
    without_redis(
        "tick",
        "the tick is read from the event stream of its queue",
        r,
    );
    without_redis("queues", "the queues are in Redis", r);
    half_a_certificate(r);
    if let Some(redis) = &settings.redis {
        certificates_without_tls(&redis.redis, r);
        databases(&redis.databases, &redis.redis, r);
    }
}

fn two_listeners(settings: &Settings, r: &mut Reader) {
    let admin = settings.admin.listen;
    let Some(gateway) = settings.gateway.as_ref().map(|gateway| gateway.listen) else {
        return;
    };
    if !clash(admin, gateway) {
        return;
    }
    let title = format!(
        "admin.listen and gateway.listen cannot both have port {}",
        admin.port()
    );
    let (ours, theirs) = (r.place("gateway.listen"), r.place("admin.listen"));
    let problem = match (ours.cloned(), theirs.cloned()) {
        (Some(ours), Some(theirs)) => Problem::at(ours, title, format!("{gateway} is taken"))
            .also(Some(&theirs), "taken here"),
        (Some(place), None) => {
            Problem::at(place, title, format!("admin.listen is {admin} by default"))
        }
        (None, place) => Problem::at(
            place,
            title,
            format!("gateway.listen is {gateway} by default"),
        ),
    };
    r.problem(problem);
}

/// Both would count every request of the app.
fn two_sources(settings: &Settings, r: &mut Reader) {
    if settings.gateway.is_none() || settings.capture.is_none() {
        return;
    }
    let title = "gateway and capture cannot both be used: every request would count twice";
    let (gateway, capture) = (r.place("gateway.app"), r.place("capture.listen"));
    let (gateway, capture) = (gateway.cloned(), capture.cloned());
    let label = "remove this, or the section gateway";
    let problem = match capture {
        Some(capture) => Problem::at(capture, title, label).also(gateway.as_ref(), "used here"),
        None => Problem::at(gateway, title, label),
    };
    r.problem(problem);
}

fn capture_of_nothing(settings: &Settings, r: &mut Reader) {
    let is_empty = |capture: &crate::Capture| capture.source.listen.is_empty();
    if settings.capture.as_ref().is_some_and(is_empty) {
        let place = r.place("capture.listen").cloned();
        let title = "capture.listen is empty";
        r.problem(Problem::at(
            place,
            title,
            "give at least one port, like :3000",
        ));
    }
}

fn forwarding_to_itself(settings: &Settings, r: &mut Reader) {
    let Some(gateway) = &settings.gateway else {
        return;
    };
    for app in &gateway.proxy.apps {
        let Some(app) = socket_address(app) else {
            continue;
        };
        for (key, listen) in [
            ("gateway.listen", gateway.listen),
            ("admin.listen", settings.admin.listen),
        ] {
            if clash(app, listen) {
                let title = "gateway.app is Vigie itself";
                let label = format!("expected the app's own address; {key} is {listen}");
                let place = r.place("gateway.app").cloned();
                let problem = Problem::at(place, title, label);
                r.problem(problem.also(r.place(key).cloned().as_ref(), "Vigie listens here"));
                return;
            }
        }
    }
}

/// The address, unless it has another name than `localhost`.
fn socket_address(app: &str) -> Option<SocketAddr> {
    let app: Authority = app.parse().ok()?;
    let ip = match app.host().trim_matches(['[', ']']) {
        "localhost" => IpAddr::from(Ipv4Addr::LOCALHOST),
        host => host.parse().ok()?,
    };
    Some(SocketAddr::new(ip, app.port_u16()?))
}

fn without_redis(section: &str, label: &str, r: &mut Reader) {
    if r.section("redis").is_some() {
        return;
    }
    if let Some(place) = r.section(section) {
        let title = format!("{section} needs redis");
        let help = r#"add [redis] with url = "redis://127.0.0.1:6379""#;
        r.problem(Problem::at(place, title, label).help(help));
    }
}

fn half_a_certificate(r: &mut Reader) {
    let keys = ["redis.cert_file", "redis.key_file"];
    let [certificate, key] = keys.map(|key| r.place(key).cloned());
    let (given, missing, place) = match (certificate, key) {
        (Some(place), None) => (keys[0], keys[1], place),
        (None, Some(place)) => (keys[1], keys[0], place),
        _ => return,
    };
    let title = format!("{given} needs {missing}");
    let label = "a certificate and its key are given together";
    r.problem(Problem::at(place, title, label));
}

fn certificates_without_tls(endpoint: &Endpoint, r: &mut Reader) {
    if endpoint.is_over_tls() {
        return;
    }
    let keys = ["redis.ca_file", "redis.cert_file", "redis.key_file"];
    let Some((key, place)) = keys
        .iter()
        .find_map(|key| Some((key, r.place(key)?.clone())))
    else {
        return;
    };
    let title = format!("{key} without TLS");
    let label = "it would not be used: redis.url is an address without TLS";
    let help = "write rediss://, rediss-sentinel:// or rediss-cluster:// in redis.url, or drop the certificates";
    r.problem(Problem::at(place, title, label).help(help));
}

/// Checks the list of databases. The address is a secret: messages show only the database that it names.
fn databases(all: &[u16], endpoint: &Endpoint, r: &mut Reader) {
    let Some(place) = r.place("redis.databases").cloned() else {
        return;
    };
    let twice = (1..all.len()).find(|at| all[..*at].contains(&all[*at]));
    let named = endpoint.database();
    let known = |named: i64| all.iter().any(|database| i64::from(*database) == named);
    if endpoint.is_cluster() && !all.is_empty() {
        let title = "redis.databases with a cluster";
        let label = "a cluster has only database 0, which is watched";
        r.problem(Problem::at(place, title, label).help("drop it"));
    } else if let Some(at) = twice {
        let title = format!("redis.databases names {} twice", all[at]);
        r.problem(Problem::at(place, title, "each is watched once"));
    } else if let Some(named) = named
        && !all.is_empty()
        && !known(named)
    {
        let title = format!("redis.url names database {named}, and redis.databases does not");
        let label = "expected the database of the address among these";
        let help = "drop the database from the address: then the first of the list takes its place";
        r.problem(Problem::at(place, title, label).help(help));
    }
}

/// Whether both cannot be bound: they have the same port, and the same address or a wildcard address.
fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let everywhere = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || everywhere)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::clash;

    #[test]
    fn clashes() {
        for (a, b, expected) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("[::]:80", "127.0.0.1:80", true),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            let (first, second) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(clash(first, second), expected, "{a} {b}");
            assert_eq!(clash(second, first), expected, "{b} {a}");
        }
    }
}
