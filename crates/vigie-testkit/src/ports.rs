//! Free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range of outgoing connections on Linux (32768–60999), so that the port of a killed server stays free
/// until it restarts.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A free loopback port; this process never returns it twice.
///
/// # Panics
/// If no port of the range is free.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Concurrent test programs start at different ports.
    let start = (std::process::id() as u16).wrapping_mul(197);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start % COUNT + step % COUNT) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ports_are_free_and_never_the_same() {
        let ports: HashSet<u16> = (0..50).map(|_| free()).collect();
        assert_eq!(ports.len(), 50);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
