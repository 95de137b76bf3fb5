//! A look at the traffic, for people who want to know whether it can be captured.

use std::time::Duration;

use crate::capture::Capture;
use crate::clock::Clock;
use crate::filter::Depth;
use crate::ring::{RingError, monotonic_time, real_time};
use crate::source::open;
use crate::{Protocol, Settings};
use vigie_metrics::Registry;
use vigie_traffic::Traffic;

/// The ways to grant the capability.
pub const GRANTS: &str = "grant it: setcap cap_net_raw+ep /usr/local/bin/vigie (not under no_new_privs); \
    systemd: AmbientCapabilities=CAP_NET_RAW; Docker: --cap-add NET_RAW, as root; \
    Kubernetes: securityContext.capabilities.add: [NET_RAW] and runAsUser: 0, in a namespace whose Pod Security level is privileged";

/// The result of capturing for a short time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Packets that passed the filter.
    pub packets: u64,
    /// Packets that were dropped because the ring was full.
    pub dropped: u64,
    /// Responses of HTTP/1.
    pub responses: u64,
    /// The connections of each protocol, in the order of [`Protocol::ALL`].
    pub connections: [usize; Protocol::ALL.len()],
}

/// Captures for this time, and counts nothing in any metric.
///
/// # Errors
/// If packets cannot be captured.
///
/// # Panics
/// Never: the routes have no patterns that could be invalid.
pub fn look(settings: &Settings, duration: Duration) -> Result<Look, RingError> {
    let mut ring = open(settings, Depth::Heads)?;
    let ports: Vec<u16> = settings.listen.iter().map(|listen| listen.port).collect();
    let traffic = Traffic::new(&vigie_traffic::Settings::default(), &Registry::new(), || {});
    let traffic = traffic.expect("without patterns, none is invalid");
    let mut capture = Capture::new(&ports, traffic, settings.limits);
    let (mut clock, end) = (Clock::default(), monotonic_time() + duration);
    loop {
        while let Some(block) = ring.block() {
            clock.begin_block(monotonic_time(), real_time());
            for packet in block.packets() {
                let at = clock.time(packet.captured_at);
                capture.packet(at, packet.interface, packet.bytes, packet.wire);
            }
        }
        let now = monotonic_time();
        if now >= end {
            break;
        }
        ring.wait((end - now).min(Duration::from_millis(50)))?;
    }
    let statistics = ring.statistics()?;
    Ok(Look {
        packets: statistics.captured,
        dropped: statistics.dropped,
        responses: capture.counts().responses,
        connections: capture.census(),
    })
}
