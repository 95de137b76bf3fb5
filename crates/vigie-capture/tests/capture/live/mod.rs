//! Real packets: on the loopback interface, between network namespaces, and as a user with one capability.
// Tests that cannot run here print the reason.
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod damage;
mod demo;
mod networks;
mod rights;

use std::net::SocketAddr;
use std::time::Duration;

use vigie_capture::ring::RingError;
use vigie_capture::{Listen, Settings, Source};
use vigie_metrics::Registry;
use vigie_testkit::{Process, SOON, eventually};
use vigie_traffic::Traffic;

use crate::readings;

/// A running capture.
pub(crate) struct Live {
    pub(crate) registry: Registry,
    source: Source,
}

/// The settings for one port or several; sessions are known at once.
pub(crate) fn settings(listen: &[&str]) -> Settings {
    Settings {
        listen: listen
            .iter()
            .map(|text| text.parse::<Listen>().unwrap())
            .collect(),
        settle: Duration::ZERO,
        // The tests say what is lost, on machines that are busy.
        max_loss: 1.0,
        ..Settings::default()
    }
}

impl Live {
    /// `None`, with a note, if the process may not capture packets.
    pub(crate) fn start(settings: &Settings, routes: &[&str]) -> Option<Self> {
        let registry = Registry::new();
        let of_traffic = vigie_traffic::Settings {
            routes: routes.iter().map(|route| (*route).to_owned()).collect(),
            ..vigie_traffic::Settings::default()
        };
        let traffic = Traffic::new(&of_traffic, &registry, || {}).unwrap();
        match Source::start(settings, traffic, &registry) {
            Ok(source) => Some(Self { registry, source }),
            Err(RingError::NotPermitted) => {
                eprintln!("ignored: needs CAP_NET_RAW");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn value(&self, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        readings::labelled(&self.registry, metric, labels)
    }

    /// The number of requests, once it is this.
    pub(crate) async fn until_requests(&self, number: u64) {
        eventually(SOON, async || {
            let requests: u64 = readings::requests(&self.registry).values().sum();
            if requests == number {
                Ok(())
            } else {
                Err(format!("{requests} requests"))
            }
        })
        .await;
    }

    pub(crate) fn stop(self) -> Registry {
        self.source.stop();
        self.registry
    }
}

/// A small Node server on this address, which prints its port. Its paths name what it does.
pub(crate) async fn node(address: &str) -> (Process, u16) {
    let mut command = std::process::Command::new("node");
    command.args(["-e", include_str!("server.js"), address]);
    let mut server = Process::spawn("server.js", command).unwrap();
    let line = server.next_json(SOON).await.unwrap();
    let port = line["port"].as_u64().unwrap();
    (server, port as u16)
}

/// Sends `number` requests over some connections to the server, which may be in reach of this command only.
pub(crate) async fn requests(prefix: &[&str], to: SocketAddr, number: usize) {
    let (program, arguments) = match prefix {
        [] => ("node", &[][..]),
        [program, rest @ ..] => (*program, rest),
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    if !prefix.is_empty() {
        command.arg("node");
    }
    let target = format!("http://{to}");
    command.args([
        "-e",
        include_str!("client.js"),
        &target,
        &number.to_string(),
    ]);
    let mut client = Process::spawn("client.js", command).unwrap();
    let line = client.next_json(SOON).await.unwrap();
    assert_eq!(line["answered"], number, "{line}");
}
