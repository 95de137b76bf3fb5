//! Any packets: nothing panics, nothing is held for ever, and every request that began ends.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use vigie_capture::{Capture, Limits};
use vigie_metrics::Registry;
use vigie_traffic::{Settings, Traffic};

const LIMITS: Limits = Limits {
    connections: 4,
    held_bytes: 4096,
    hole: Duration::from_secs(1),
    idle: Duration::from_secs(60),
};

/// A segment of a connection between two addresses, with bytes of the input at a place near the ones before.
fn packet(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let ([choices, flags, sequence, acknowledged, length], rest) = bytes.split_first_chunk()?;
    let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
    let client = [10, 0, 0, 1];
    let app = [10, 0, 0, 2];
    let port = 40_000 + u16::from(choices >> 1 & 3);
    let ends = match choices & 1 {
        0 => (client, port, app, 3000),
        _ => (app, 3000, client, port),
    };
    // Both sides begin at 1000 and move on within a window.
    let near = |at: &u8| (1000 + u32::from(*at) * 7).to_be_bytes();
    let total = 40 + u16::try_from(payload.len()).ok()?;
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    packet.extend(ends.0);
    packet.extend(ends.2);
    packet.extend(ends.1.to_be_bytes());
    packet.extend(u16::to_be_bytes(ends.3));
    packet.extend(near(sequence));
    packet.extend(near(acknowledged));
    packet.extend([0x50, *flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    // The filter may have cut it.
    if choices & 8 != 0 {
        packet.truncate(40 + payload.len() / 2);
    }
    Some((packet, rest))
}

fuzz_target!(|bytes: &[u8]| {
    let registry = Registry::new();
    let Ok(traffic) = Traffic::new(&Settings::default(), &registry, || {}) else {
        return;
    };
    let mut capture = Capture::new(&[3000], traffic.clone(), LIMITS);
    let mut now = Duration::from_secs(1);
    // As it is, and as segments.
    capture.packet(now, 1, bytes, bytes.len());
    let mut rest = bytes;
    while let Some((packet, after)) = packet(rest) {
        now += Duration::from_millis(u64::from(after.len() as u32 & 0xff));
        capture.packet(now, 1, &packet, packet.len().max(usize::from(packet[3])));
        capture.tick(now);
        assert!(capture.connections() <= LIMITS.connections);
        rest = after;
    }
    now += Duration::from_secs(3600);
    capture.tick(now);
    let _ = traffic.expire(now + Duration::from_secs(3600));
    assert_eq!(capture.connections(), 0);
    registry.visit(|name, _, value| {
        if name == "vigie_gateway_requests_in_flight" || name == "socket_active_connections" {
            assert_eq!(value, 0.0, "{name}");
        }
    });
});
