//! Interfaces, IPv6, VLANs.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Live, node, requests, settings};
use crate::readings;

/// A network namespace that is connected to this one by a pair of interfaces, with a VLAN on them.
struct Namespace {
    name: String,
    /// The interface in this namespace.
    interface: String,
    number: u8,
}

fn run(command: &str) -> Result<(), String> {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command}: {error}"))
    }
}

impl Namespace {
    /// `None`, with a note, if the process may not create it.
    fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        let count = NUMBER.fetch_add(1, Ordering::Relaxed);
        let number = (process.wrapping_mul(7).wrapping_add(count) % 250) as u8;
        let this = Self {
            name: format!("vigie-{process}-{count}"),
            interface: format!("vg{}-{count}", process % 1_000_000),
            number,
        };
        if let Err(error) = run(&format!("ip netns add {}", this.name)) {
            eprintln!("ignored: needs CAP_NET_ADMIN ({error})");
            return None;
        }
        let Self {
            name, interface, ..
        } = &this;
        for command in [
            format!("ip link add {interface} type veth peer name inner netns {name}"),
            format!("ip addr add {} dev {interface}", this.address4(1, "/24")),
            format!(
                "ip addr add {} dev {interface} nodad",
                this.address6(1, "/64")
            ),
            format!("ip link set {interface} up"),
            format!(
                "ip -n {name} addr add {} dev inner",
                this.address4(2, "/24")
            ),
            format!(
                "ip -n {name} addr add {} dev inner nodad",
                this.address6(2, "/64")
            ),
            format!("ip -n {name} link set inner up"),
        ] {
            run(&command).unwrap();
        }
        Some(this)
    }

    /// Adds a VLAN. `None`, with a note, if the kernel has none.
    fn with_vlan(self) -> Option<Self> {
        let Self {
            name, interface, ..
        } = &self;
        let first = format!("ip link add link {interface} name {interface}.5 type vlan id 5");
        if let Err(error) = run(&first) {
            eprintln!("ignored: needs the kernel module 8021q ({error})");
            return None;
        }
        for command in [
            format!("ip addr add {} dev {interface}.5", self.vlan(1, "/24")),
            format!("ip link set {interface}.5 up"),
            format!("ip -n {name} link add link inner name inner.5 type vlan id 5"),
            format!("ip -n {name} addr add {} dev inner.5", self.vlan(2, "/24")),
            format!("ip -n {name} link set inner.5 up"),
        ] {
            run(&command).unwrap();
        }
        Some(self)
    }

    fn address4(&self, last: u8, suffix: &str) -> String {
        format!("10.213.{}.{last}{suffix}", self.number)
    }

    fn address6(&self, last: u8, suffix: &str) -> String {
        format!("fd13:{:x}::{last}{suffix}", self.number)
    }

    fn vlan(&self, last: u8, suffix: &str) -> String {
        format!("10.214.{}.{last}{suffix}", self.number)
    }

    /// Captures on an interface while a client in the namespace asks a server at an address of this one.
    async fn captures(&self, interface: &str, address: &str) {
        let (_server, port) = node(address).await;
        let listen = format!("{interface}:{port}");
        let live = Live::start(
            &settings(&[&listen]),
            &["/length/*", "/chunked/*", "/status/*"],
        );
        let live = live.unwrap();
        let to = SocketAddr::new(address.parse().unwrap(), port);
        requests(&["ip", "netns", "exec", &self.name], to, 80).await;
        live.until_requests(80).await;
        let found = readings::requests(&live.registry);
        let series = |method: &str, route: &str, code: &str| {
            let key = (method.to_owned(), route.to_owned(), code.to_owned());
            found.get(&key).copied()
        };
        assert_eq!(series("GET", "/length/*", "200"), Some(20), "{found:?}");
        assert_eq!(series("GET", "/chunked/*", "200"), Some(20), "{found:?}");
        assert_eq!(series("POST", "/length/*", "200"), Some(10), "{found:?}");
        assert_eq!(series("HEAD", "/length/*", "200"), Some(10), "{found:?}");
        assert_eq!(series("GET", "/status/*", "204"), Some(10), "{found:?}");
        assert_eq!(series("GET", "/status/*", "500"), Some(10), "{found:?}");
        let unseen = |from| live.value("vigie_capture_unseen_bytes_total", &[("from", from)]);
        assert_eq!((unseen("client"), unseen("app")), (Some(0.0), Some(0.0)));
        live.stop();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The interfaces go with the namespace.
        let _ = run(&format!("ip netns del {}", self.name));
    }
}

#[tokio::test]
async fn on_a_pair_of_interfaces() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace
        .captures(&namespace.interface, &namespace.address4(1, ""))
        .await;
}

#[tokio::test]
async fn over_ipv6() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace
        .captures(&namespace.interface, &namespace.address6(1, ""))
        .await;
}

#[tokio::test]
async fn in_a_vlan_on_either_interface() {
    let Some(namespace) = Namespace::new().and_then(Namespace::with_vlan) else {
        return;
    };
    let (interface, address) = (&namespace.interface, namespace.vlan(1, ""));
    namespace
        .captures(&format!("{interface}.5"), &address)
        .await;
    namespace.captures(interface, &address).await;
    // Shown by the VLAN's interface and by the one below it.
    namespace.captures("any", &address).await;
}

#[tokio::test]
async fn on_all_interfaces_each_connection_counts_once() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace.captures("any", &namespace.address4(1, "")).await;
    namespace.captures("any", &namespace.address6(1, "")).await;
}

#[tokio::test]
async fn on_the_loopback_interface_with_large_segments() {
    for address in ["127.0.0.1", "::1"] {
        let (_server, port) = node(address).await;
        let listen = format!("lo:{port}");
        let Some(live) = Live::start(&settings(&[&listen]), &["/*"]) else {
            return;
        };
        let to = SocketAddr::new(address.parse().unwrap(), port);
        requests(&[], to, 400).await;
        live.until_requests(400).await;
        assert_eq!(
            live.value("vigie_capture_unseen_bytes_total", &[("from", "app")]),
            Some(0.0)
        );
        live.stop();
    }
}

#[tokio::test]
async fn an_interface_that_goes_and_comes_back_is_captured_again() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let (_server, port) = node(&namespace.address4(1, "")).await;
    let listen = format!("{}:{port}", namespace.interface);
    let live = Live::start(&settings(&[&listen]), &["/*"]).unwrap();
    let up = async |expected: f64| {
        vigie_testkit::eventually(vigie_testkit::SOON, async || {
            let up = live.value("vigie_source_up", &[("source", "capture")]);
            if up == Some(expected) {
                Ok(())
            } else {
                Err(format!("{up:?}"))
            }
        })
        .await;
    };
    up(1.0).await;
    run(&format!("ip link set {} down", namespace.interface)).unwrap();
    up(0.0).await;
    assert_eq!(live.value("socket_active_connections", &[]), None);
    run(&format!("ip link set {} up", namespace.interface)).unwrap();
    up(1.0).await;
    let to: SocketAddr = format!("{}:{port}", namespace.address4(1, ""))
        .parse()
        .unwrap();
    requests(&["ip", "netns", "exec", &namespace.name], to, 16).await;
    live.until_requests(16).await;
    live.stop();
}
