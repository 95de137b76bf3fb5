use std::time::Duration;

use crate::filter::MAX_PORTS;
use crate::ring::MIN_BYTES;
use crate::{Limits, Listen};

/// The settings of the passive source.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which traffic is captured; at least one.
    pub listen: Vec<Listen>,
    /// The size of the ring, which must hold what arrives while the thread waits for a processor.
    pub ring_bytes: usize,
    /// The estimated share of missed requests above which the source is down, from 0 to 1.
    pub max_loss: f64,
    /// How long the sessions are not known at the beginning: an idle WebSocket shows itself by its next heartbeat.
    pub settle: Duration,
    /// The bounds of the connections.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            ring_bytes: 4 * 1024 * 1024,
            max_loss: 0.05,
            // Socket.IO's default ping interval and ping timeout.
            settle: Duration::from_secs(45),
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// The most ports and interfaces.
    pub const MAX_LISTEN: usize = MAX_PORTS;
    /// The smallest ring.
    pub const MIN_RING_BYTES: usize = MIN_BYTES;
    /// The largest ring.
    pub const MAX_RING_BYTES: usize = 1024 * 1024 * 1024;
}
