//! Packets to connections.

use std::time::Duration;

use vigie_traffic::{Side, Traffic};

use crate::counts::Counts;
use crate::packet::Segment;
use crate::protocol::Protocol;
use crate::reader::limits;
use crate::table::{Limits, Table};

/// How often idle connections are searched.
const SEARCH: Duration = Duration::from_secs(30);

/// The traffic of some ports, read from packets. There are no sockets or clocks: packets and their times are arguments.
pub struct Capture {
    ports: Vec<u16>,
    traffic: Traffic,
    table: Table,
    counts: Counts,
    searched: Duration,
}

impl Capture {
    /// Follows the connections to these ports, and counts their requests in `traffic`.
    #[must_use]
    pub fn new(ports: &[u16], traffic: Traffic, limits: Limits) -> Self {
        Self {
            ports: ports.to_vec(),
            traffic,
            table: Table::new(limits),
            counts: Counts::default(),
            searched: Duration::ZERO,
        }
    }

    /// A packet that begins at its IP header and had `wire` bytes. `at` is the time since an origin of the caller's choice, and
    /// is not before that of the previous packet.
    pub fn packet(&mut self, at: Duration, interface: u32, captured: &[u8], wire: usize) {
        let Some(segment) = Segment::parse(captured, wire) else {
            return;
        };
        let from = match () {
            () if self.ports.contains(&segment.destination.port()) => Side::Client,
            () if self.ports.contains(&segment.source.port()) => Side::App,
            () => return,
        };
        let traffic = &self.traffic;
        let http = |opened| match opened {
            true => traffic.connection(limits()),
            false => traffic.unknown_connection(limits()),
        };
        let counts = &mut self.counts;
        self.table
            .segment((from, &segment), interface, at, http, counts);
    }

    /// All packets before `now` were passed. Called every second or so.
    pub fn tick(&mut self, now: Duration) {
        self.table.pass_holes(now, &mut self.counts);
        if now.saturating_sub(self.searched) >= SEARCH {
            self.searched = now;
            self.table.forget_idle(now, &mut self.counts);
        }
    }

    /// The capture was interrupted: nothing is known of the connections from now on.
    pub fn abandon(&mut self, now: Duration) {
        self.table.abandon(now, &mut self.counts);
    }

    /// The totals.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether an Engine.IO request was read: its sessions can only be followed if everything is captured.
    #[must_use]
    pub fn saw_engineio(&self) -> bool {
        self.table.saw_engineio()
    }

    /// The number of connections of each protocol, in the order of [`Protocol::ALL`].
    #[must_use]
    pub fn census(&self) -> [usize; Protocol::ALL.len()] {
        self.table.census()
    }

    /// The number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.table.len()
    }
}
