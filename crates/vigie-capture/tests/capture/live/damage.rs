//! A ring that is too small for what arrives while nobody reads it.

use vigie_capture::filter::{Depth, Port, program};
use vigie_capture::ring::{Ring, RingError};
use vigie_capture::{Capture, Limits};
use vigie_metrics::Registry;
use vigie_traffic::Traffic;

use super::{node, requests};
use crate::readings;

/// Feeds what is in the ring.
fn drain(ring: &mut Ring, capture: &mut Capture) {
    while let Some(block) = ring.block() {
        for packet in block.packets() {
            capture.packet(
                packet.captured_at,
                packet.interface,
                packet.bytes,
                packet.wire,
            );
        }
    }
}

#[tokio::test]
async fn what_an_overrun_ring_misses_is_reported() {
    let (_server, number) = node("127.0.0.1").await;
    let port = Port {
        number,
        interface: None,
    };
    let mut ring = match Ring::open(&program(&[port], Depth::Whole), None, 1) {
        Ok(ring) => ring,
        Err(RingError::NotPermitted) => {
            eprintln!("ignored: needs CAP_NET_RAW");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let registry = Registry::new();
    let settings = vigie_traffic::Settings {
        routes: vec!["/length/*".into(), "/chunked/*".into(), "/status/*".into()],
        ..vigie_traffic::Settings::default()
    };
    let traffic = Traffic::new(&settings, &registry, || {}).unwrap();
    let mut capture = Capture::new(&[number], traffic, Limits::default());
    let to = ([127, 0, 0, 1], number).into();
    let mut missed = 0;
    for _ in 0..4 {
        // Nobody reads in the meantime: much more than the ring holds.
        requests(&[], to, 80).await;
        drain(&mut ring, &mut capture);
        missed += ring.statistics().unwrap().dropped;
    }
    let codes = |code: &str| {
        let found = readings::requests(&registry);
        let of = found.iter().filter(|((.., found), _)| found == code);
        of.map(|(_, number)| number).sum::<u64>()
    };
    assert!(missed > 0);
    let found: u64 = readings::requests(&registry).values().sum();
    assert!(found < 320, "{found}");
    // Each code belongs to its own route.
    for ((_, route, code), _) in readings::requests(&registry) {
        let right = match route.as_str() {
            "/status/*" => code == "204" || code == "500",
            _ => code == "200",
        };
        assert!(right, "{route} {code}");
    }
    let counts = capture.counts();
    assert_eq!(counts.known, found, "{}", codes("200"));
    assert!(counts.known + counts.abandoned <= 320, "{counts:?}");
}
