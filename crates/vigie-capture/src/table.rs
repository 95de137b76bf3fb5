//! The connections.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use vigie_traffic::Side;

use crate::connection::Connection;
use crate::counts::Counts;
use crate::packet::Segment;
use crate::protocol::Protocol;
use crate::reader::Reader;
use vigie_traffic::Observed;

/// The bounds of a table.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum number of connections.
    pub connections: usize,
    /// The maximum number of captured bytes that all connections hold behind holes.
    pub held_bytes: usize,
    /// How long segments behind a hole are held: the missing bytes may be sent again.
    pub hole: Duration,
    /// When a connection without segments is forgotten.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 65_536,
            held_bytes: 32 * 1024 * 1024,
            hole: Duration::from_secs(1),
            idle: Duration::from_secs(900),
        }
    }
}

/// The addresses of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Flow {
    client: SocketAddr,
    app: SocketAddr,
}

/// The connections, by their addresses.
pub(crate) struct Table {
    limits: Limits,
    connections: HashMap<Flow, Connection, RandomState>,
    /// The captured bytes that the connections hold.
    held_bytes: usize,
    /// The connections with a hole, and since when, the oldest first. A connection is in it at most once for each hole.
    holes: VecDeque<(Duration, Flow)>,
    saw_engineio: bool,
}

impl Table {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            connections: HashMap::default(),
            held_bytes: 0,
            holes: VecDeque::new(),
            saw_engineio: false,
        }
    }

    /// Whether an Engine.IO request was read.
    pub(crate) fn saw_engineio(&self) -> bool {
        self.saw_engineio
    }

    /// A segment of this side. `http` makes the reader of a connection, which is captured from its beginning or not.
    pub(crate) fn segment(
        &mut self,
        (from, segment): (Side, &Segment<'_>),
        interface: u32,
        at: Duration,
        http: impl Fn(bool) -> Observed,
        counts: &mut Counts,
    ) {
        let flow = match from {
            Side::Client => Flow {
                client: segment.source,
                app: segment.destination,
            },
            Side::App => Flow {
                client: segment.destination,
                app: segment.source,
            },
        };
        self.close_replaced(flow, from, segment, interface, at, counts);
        if !self.connections.contains_key(&flow)
            && !self.open(flow, (from, segment), interface, at, http, counts)
        {
            return;
        }
        let Some(connection) = self.connections.get_mut(&flow) else {
            return;
        };
        if connection.interface != interface {
            counts.elsewhere += 1;
            return;
        }
        let before = connection.held_bytes();
        let had_hole = connection.hole_since.is_some();
        let may_be_held = self.held_bytes < self.limits.held_bytes;
        connection.segment(from, segment, at, may_be_held, counts);
        self.held_bytes = self.held_bytes + connection.held_bytes() - before;
        self.saw_engineio |= connection.take_saw_engineio();
        if connection.has_ended() {
            self.remove(flow, at, counts);
        } else if let Some(since) = connection.hole_since.filter(|_| !had_hole) {
            self.holes.push_back((since, flow));
        }
    }

    /// Removes the connection whose addresses are used again.
    fn close_replaced(
        &mut self,
        flow: Flow,
        from: Side,
        segment: &Segment<'_>,
        interface: u32,
        at: Duration,
        counts: &mut Counts,
    ) {
        if from == Side::Client && segment.syn {
            let existing = self.connections.get(&flow);
            let replaced = existing.is_some_and(|existing| {
                existing.interface == interface && existing.is_replaced_by(segment)
            });
            if replaced {
                self.remove(flow, at, counts);
            }
        }
    }

    /// Begins to follow a connection, if there is something to follow and a place.
    fn open(
        &mut self,
        flow: Flow,
        (from, segment): (Side, &Segment<'_>),
        interface: u32,
        at: Duration,
        http: impl Fn(bool) -> Observed,
        counts: &mut Counts,
    ) -> bool {
        // The last segments of a connection that was forgotten begin nothing.
        if !segment.syn && segment.length == 0 || segment.rst {
            return false;
        }
        if self.connections.len() >= self.limits.connections {
            counts.untracked += 1;
            return false;
        }
        match segment.syn {
            true => counts.opened += 1,
            false => counts.found += 1,
        }
        let reader = Reader::new(http(segment.syn), segment.syn);
        let connection = match from {
            Side::Client => Connection::from_client(segment, interface, at, reader),
            Side::App => Connection::from_app(segment, interface, at, reader),
        };
        self.connections.insert(flow, connection);
        true
    }

    fn remove(&mut self, flow: Flow, at: Duration, counts: &mut Counts) {
        if let Some(mut connection) = self.connections.remove(&flow) {
            self.held_bytes -= connection.held_bytes();
            connection.abandon(at, counts);
        }
    }

    /// Waits no longer for bytes that are missing for too long.
    pub(crate) fn pass_holes(&mut self, now: Duration, counts: &mut Counts) {
        let patience = self.limits.hole;
        while let Some(&(since, flow)) = self.holes.front() {
            if since + patience > now {
                return;
            }
            self.holes.pop_front();
            let Some(connection) = self.connections.get_mut(&flow) else {
                continue;
            };
            // The hole may be another one by now, which is in the queue too.
            if connection.hole_since == Some(since) {
                self.held_bytes -= connection.held_bytes();
                connection.pass_holes(counts);
                self.held_bytes += connection.held_bytes();
                self.saw_engineio |= connection.take_saw_engineio();
            }
        }
    }

    /// Forgets connections that have been idle for too long.
    pub(crate) fn forget_idle(&mut self, now: Duration, counts: &mut Counts) {
        let (idle, held_bytes) = (self.limits.idle, &mut self.held_bytes);
        self.connections.retain(|_, connection| {
            let keep = connection.seen + idle > now;
            if !keep {
                *held_bytes -= connection.held_bytes();
                connection.abandon(now, counts);
            }
            keep
        });
    }

    /// Forgets all connections.
    pub(crate) fn abandon(&mut self, now: Duration, counts: &mut Counts) {
        for (_, mut connection) in self.connections.drain() {
            connection.abandon(now, counts);
        }
        self.held_bytes = 0;
        self.holes.clear();
    }

    /// The number of connections of each protocol, in the order of [`Protocol::ALL`].
    pub(crate) fn census(&self) -> [usize; Protocol::ALL.len()] {
        let mut numbers = [0; Protocol::ALL.len()];
        for connection in self.connections.values() {
            numbers[connection.protocol() as usize] += 1;
        }
        numbers
    }

    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }
}
