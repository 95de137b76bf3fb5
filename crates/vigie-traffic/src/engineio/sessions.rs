//! The table of sessions: a plain value that time and events go into and counts come out of.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::heartbeat::{Heartbeat, Ping, Received};
use super::query::Revision;
use super::tombstones::Tombstones;

/// A session id. Clones share the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Sid(Arc<str>);

impl Sid {
    /// The server's own are 20 bytes long; apps may make others.
    const MAX_BYTES: usize = 128;

    /// `None` when it is empty or too long to be kept.
    pub(super) fn new(sid: &str) -> Option<Self> {
        (!sid.is_empty() && sid.len() <= Self::MAX_BYTES).then(|| Self(sid.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tells one upgraded connection from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TunnelId(pub(super) u64);

/// What carries a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Polling,
    Websocket(TunnelId),
}

/// Bounds of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many sessions are tracked.
    pub(crate) max_sessions: usize,
    /// How many closed ones are remembered.
    pub(crate) max_tombstones: usize,
    /// For how long they are remembered.
    pub(crate) tombstone_ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 50_000,
            max_tombstones: 50_000,
            tombstone_ttl: Duration::from_secs(300),
        }
    }
}

/// An event of a session.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The server's open packet.
    Opened {
        sid: Sid,
        transport: Transport,
        revision: Revision,
        ping: Option<Ping>,
    },
    /// The server answered 200 to a request of this session that began at `began`; `pinged`: with a `2` in it.
    Answered {
        sid: Sid,
        revision: Revision,
        began: Duration,
        pinged: bool,
    },
    /// The server processed what a POST carried.
    Received { sid: Sid, received: Received },
    /// A poll delivered the server's `1`, was broken off, or overlapped another.
    PollingEnded { sid: Sid },
    /// The server says that it does not know the session.
    Unknown { sid: Sid },
    /// A WebSocket opened with the id of a session.
    Candidate { sid: Sid, tunnel: TunnelId },
    /// That WebSocket closed, or carried what ends an upgrade.
    CandidateDropped { sid: Sid, tunnel: TunnelId },
    /// The client's `5` passed on it; the WebSocket itself was asked for at `began`.
    Upgraded {
        sid: Sid,
        tunnel: TunnelId,
        revision: Revision,
        began: Duration,
    },
    /// The server's Close frame, or the end of the connection.
    TunnelClosed { sid: Sid, tunnel: TunnelId },
    /// Bytes of that WebSocket are missing, so the state of the session is unknown.
    TunnelLost { sid: Sid, tunnel: TunnelId },
}

/// How many sessions there are, and how many came in unusual ways since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) polling: usize,
    pub(super) websocket: usize,
    pub(super) adopted: u64,
    pub(super) refused: u64,
    pub(super) forgotten: u64,
}

impl Counts {
    pub(super) fn sessions(&self) -> usize {
        self.polling + self.websocket
    }
}

#[derive(Debug)]
enum Carrier {
    Polling {
        heartbeat: Heartbeat,
        /// The WebSocket that may become the transport; a second one is turned away by the server.
        candidate: Option<TunnelId>,
    },
    /// Its end is always seen, so no timer runs.
    Websocket(TunnelId),
}

/// All sessions that are open.
#[derive(Debug)]
pub(super) struct Sessions {
    limits: Limits,
    sessions: HashMap<Sid, Carrier>,
    /// When the polling sessions die of silence, the next first.
    deadlines: BTreeSet<(Duration, Sid)>,
    tombstones: Tombstones,
    /// The app's settings as the last open packet told them, for sessions whose own was not seen.
    ping: Ping,
    counts: Counts,
}

impl Sessions {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            sessions: HashMap::new(),
            deadlines: BTreeSet::new(),
            tombstones: Tombstones::new(limits.max_tombstones, limits.tombstone_ttl),
            // engine.io's defaults.
            ping: Ping {
                interval: Duration::from_secs(25),
                timeout: Duration::from_secs(20),
            },
            counts: Counts::default(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Closes the sessions that died of silence.
    pub(super) fn expire(&mut self, now: Duration) {
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            if let Some((_, sid)) = self.deadlines.pop_first() {
                self.close(now, &sid);
            }
        }
        self.tombstones.expire(now);
    }

    /// Lets something have happened.
    pub(super) fn apply(&mut self, now: Duration, event: Event) {
        self.expire(now);
        match event {
            Event::Opened {
                sid,
                transport,
                revision,
                ping,
            } => {
                self.ping = ping.unwrap_or(self.ping);
                if self.sessions.contains_key(&sid) {
                    return;
                }
                if self.has_room() {
                    self.open(now, sid, transport, revision, false);
                } else {
                    self.counts.refused += 1;
                }
            }
            Event::Answered {
                sid,
                revision,
                began,
                pinged,
            } => {
                if !self.sessions.contains_key(&sid) && self.may_adopt(&sid, began) {
                    self.adopt(now, &sid, Transport::Polling, revision);
                }
                if pinged {
                    self.with_heartbeat(&sid, |heartbeat| {
                        heartbeat.pinged(now);
                        true
                    });
                }
            }
            Event::Received { sid, received } => {
                let beat = |heartbeat: &mut Heartbeat| heartbeat.received(now, received);
                if self.with_heartbeat(&sid, beat) == Some(false) {
                    self.close(now, &sid);
                }
            }
            Event::PollingEnded { sid } => {
                // After an upgrade the poll that was left open ends in any of these ways, and means nothing.
                if let Some(Carrier::Polling { .. }) = self.sessions.get(&sid) {
                    self.close(now, &sid);
                }
            }
            Event::Unknown { sid } => self.close(now, &sid),
            Event::Candidate { sid, tunnel } => {
                if let Some(Carrier::Polling { candidate, .. }) = self.sessions.get_mut(&sid) {
                    candidate.get_or_insert(tunnel);
                }
            }
            Event::CandidateDropped { sid, tunnel } => {
                if let Some(Carrier::Polling { candidate, .. }) = self.sessions.get_mut(&sid) {
                    candidate.take_if(|candidate| *candidate == tunnel);
                }
            }
            Event::Upgraded {
                sid,
                tunnel,
                revision,
                began,
            } => self.upgrade(now, &sid, tunnel, revision, began),
            Event::TunnelClosed { sid, tunnel } => {
                if let Some(Carrier::Websocket(own)) = self.sessions.get(&sid)
                    && *own == tunnel
                {
                    self.close(now, &sid);
                }
            }
            Event::TunnelLost { sid, tunnel } => self.forget(&sid, tunnel),
        }
    }

    /// Removes a session whose state is unknown. It is adopted again if it proves to be open.
    fn forget(&mut self, sid: &Sid, tunnel: TunnelId) {
        let carries = match self.sessions.get(sid) {
            None => false,
            Some(Carrier::Websocket(own)) => *own == tunnel,
            Some(Carrier::Polling { candidate, .. }) => *candidate == Some(tunnel),
        };
        if carries && self.remove(sid).is_some() {
            self.counts.forgotten += 1;
        }
    }

    fn upgrade(
        &mut self,
        now: Duration,
        sid: &Sid,
        tunnel: TunnelId,
        revision: Revision,
        began: Duration,
    ) {
        let Some(carrier) = self.sessions.get_mut(sid) else {
            if self.may_adopt(sid, began) {
                self.adopt(now, sid, Transport::Websocket(tunnel), revision);
            }
            return;
        };
        if let Carrier::Polling {
            heartbeat,
            candidate,
        } = carrier
            && *candidate == Some(tunnel)
        {
            self.deadlines.remove(&(heartbeat.deadline(), sid.clone()));
            *carrier = Carrier::Websocket(tunnel);
            self.counts.polling -= 1;
            self.counts.websocket += 1;
        }
    }

    /// Whether an answer proves that a session not in the table lives. A late one of a session that has closed
    /// does not, so the request must have begun well after that.
    fn may_adopt(&self, sid: &Sid, began: Duration) -> bool {
        let grace = Duration::from_secs(1);
        let closed = self.tombstones.get(sid);
        closed.is_none_or(|closed| began > closed.saturating_add(grace))
    }

    fn adopt(&mut self, now: Duration, sid: &Sid, transport: Transport, revision: Revision) {
        if self.has_room() {
            self.counts.adopted += 1;
            self.open(now, sid.clone(), transport, revision, true);
        }
    }

    fn has_room(&self) -> bool {
        self.sessions.len() < self.limits.max_sessions
    }

    fn open(
        &mut self,
        now: Duration,
        sid: Sid,
        transport: Transport,
        revision: Revision,
        adopted: bool,
    ) {
        self.tombstones.remove(&sid);
        let carrier = match transport {
            Transport::Websocket(tunnel) => {
                self.counts.websocket += 1;
                Carrier::Websocket(tunnel)
            }
            Transport::Polling => {
                let heartbeat = Heartbeat::start(now, revision, self.ping, adopted);
                self.deadlines.insert((heartbeat.deadline(), sid.clone()));
                self.counts.polling += 1;
                Carrier::Polling {
                    heartbeat,
                    candidate: None,
                }
            }
        };
        self.sessions.insert(sid, carrier);
    }

    fn close(&mut self, now: Duration, sid: &Sid) {
        if let Some(sid) = self.remove(sid) {
            self.tombstones.insert(now, sid);
        }
    }

    fn remove(&mut self, sid: &Sid) -> Option<Sid> {
        let (sid, carrier) = self.sessions.remove_entry(sid)?;
        match carrier {
            Carrier::Websocket(_) => self.counts.websocket -= 1,
            Carrier::Polling { heartbeat, .. } => {
                self.counts.polling -= 1;
                self.deadlines.remove(&(heartbeat.deadline(), sid.clone()));
            }
        }
        Some(sid)
    }

    /// Changes the timers of a polling session and keeps its deadline in order.
    fn with_heartbeat(
        &mut self,
        sid: &Sid,
        change: impl FnOnce(&mut Heartbeat) -> bool,
    ) -> Option<bool> {
        let Some(Carrier::Polling { heartbeat, .. }) = self.sessions.get_mut(sid) else {
            return None;
        };
        let before = heartbeat.deadline();
        let changed = change(heartbeat);
        let after = heartbeat.deadline();
        if after != before {
            self.deadlines.remove(&(before, sid.clone()));
            self.deadlines.insert((after, sid.clone()));
        }
        Some(changed)
    }
}

#[cfg(test)]
#[path = "sessions_model.rs"]
mod model;
#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
