//! When a session dies of silence: the server's timers, followed from outside.

use std::time::Duration;

use super::query::Revision;

/// How often a session is pinged, and how long the answer may take; both are in the open packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ping {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// What a request's body or a frame carried from the client. A server handles the packets of a body in one
/// stretch, so their order does not matter to the timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// A `2`.
    pub(super) ping: bool,
    /// A `3`.
    pub(super) pong: bool,
    /// A packet of any other type that does not close.
    pub(super) other: bool,
    /// A `1`, or something that is not a packet.
    pub(super) close: bool,
}

/// The timers of one polling session.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat {
    revision: Revision,
    ping: Ping,
    state: State,
    /// The session was adopted and neither `2` nor `3` passed since: its timers started before they were seen.
    adopted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Revision 4: the server pings at `at`.
    Quiet { at: Duration },
    /// Revision 4: pinged, the answer is due. Revision 3: the client's next ping is due.
    Due { by: Duration, extended: bool },
}

impl Heartbeat {
    pub(super) fn start(now: Duration, revision: Revision, ping: Ping, adopted: bool) -> Self {
        let mut heartbeat = Self {
            revision,
            ping,
            state: State::Quiet { at: now },
            adopted,
        };
        heartbeat.beat(now);
        heartbeat
    }

    /// When the server gives the session up if nothing more comes.
    pub(super) fn deadline(&self) -> Duration {
        match self.state {
            State::Quiet { at } => at.saturating_add(self.ping.timeout),
            State::Due { by, .. } => by,
        }
    }

    /// The client sent something. False when it is what ends a session.
    pub(super) fn received(&mut self, now: Duration, received: Received) -> bool {
        let (beat, wrong) = match self.revision {
            Revision::V3 => (received.ping, received.pong),
            Revision::V4 => (received.pong, received.ping),
        };
        if received.close || wrong {
            return false;
        }
        if beat {
            self.adopted = false;
            self.beat(now);
        } else if received.other && self.revision == Revision::V4 {
            self.settle(now);
            // Any packet shows that the client lives, but only one is a respite (engine.io 6.6.12).
            if let State::Due { by, extended } = &mut self.state
                && !*extended
            {
                *by = now.saturating_add(self.ping.timeout);
                *extended = true;
            }
        }
        true
    }

    /// The server's `2` was delivered. It may have waited in the server's buffer, so it tells something only of
    /// a session whose timers are not known.
    pub(super) fn pinged(&mut self, now: Duration) {
        if self.adopted && self.revision == Revision::V4 {
            self.adopted = false;
            let by = now.saturating_add(self.ping.timeout);
            self.state = State::Due {
                by,
                extended: false,
            };
        }
    }

    fn beat(&mut self, now: Duration) {
        let next = now.saturating_add(self.ping.interval);
        self.state = match self.revision {
            Revision::V3 => State::Due {
                by: next.saturating_add(self.ping.timeout),
                extended: true,
            },
            Revision::V4 => State::Quiet { at: next },
        };
    }

    /// Lets the server's ping that is due by now have happened.
    fn settle(&mut self, now: Duration) {
        if let State::Quiet { at } = self.state
            && at <= now
        {
            let by = self.deadline();
            self.state = State::Due {
                by,
                extended: false,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: Ping = Ping {
        interval: Duration::from_millis(1_000),
        timeout: Duration::from_millis(800),
    };
    const PONG: Received = Received {
        ping: false,
        pong: true,
        other: false,
        close: false,
    };
    const OTHER: Received = Received {
        ping: false,
        pong: false,
        other: true,
        close: false,
    };
    const PINGED: Received = Received {
        ping: true,
        pong: false,
        other: false,
        close: false,
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn revision_4_runs_from_the_open_packet_and_from_each_pong() {
        let mut heartbeat = Heartbeat::start(ms(0), Revision::V4, PING, false);
        assert_eq!(heartbeat.deadline(), ms(1_800));
        assert!(heartbeat.received(ms(1_003), PONG));
        assert_eq!(heartbeat.deadline(), ms(2_803));
        assert!(
            heartbeat.received(ms(1_500), PONG),
            "one that nobody asked for counts too"
        );
        assert_eq!(heartbeat.deadline(), ms(3_300));
    }

    #[test]
    fn one_other_packet_extends_an_unanswered_ping() {
        let mut heartbeat = Heartbeat::start(ms(0), Revision::V4, PING, false);
        assert!(heartbeat.received(ms(900), OTHER));
        assert_eq!(heartbeat.deadline(), ms(1_800), "no ping is unanswered yet");
        assert!(heartbeat.received(ms(1_606), OTHER));
        assert_eq!(
            heartbeat.deadline(),
            ms(2_406),
            "as measured: 2406 ms instead of 1803"
        );
        assert!(heartbeat.received(ms(2_000), OTHER));
        assert_eq!(heartbeat.deadline(), ms(2_406), "only once");
        assert!(heartbeat.received(ms(2_100), PONG));
        assert!(heartbeat.received(ms(3_200), OTHER));
        assert_eq!(
            heartbeat.deadline(),
            ms(4_000),
            "and once for the next ping"
        );
    }

    #[test]
    fn revision_3_runs_from_the_clients_pings() {
        let mut heartbeat = Heartbeat::start(ms(0), Revision::V3, PING, false);
        assert_eq!(heartbeat.deadline(), ms(1_800));
        assert!(heartbeat.received(ms(1_500), OTHER));
        assert_eq!(heartbeat.deadline(), ms(1_800));
        assert!(heartbeat.received(ms(1_600), PINGED));
        assert_eq!(heartbeat.deadline(), ms(3_400));
    }

    #[test]
    fn a_heartbeat_in_the_wrong_direction_ends_the_session() {
        assert!(!Heartbeat::start(ms(0), Revision::V4, PING, false).received(ms(1), PINGED));
        assert!(!Heartbeat::start(ms(0), Revision::V3, PING, false).received(ms(1), PONG));
    }

    #[test]
    fn an_adopted_session_runs_from_the_first_ping_seen() {
        let mut heartbeat = Heartbeat::start(ms(0), Revision::V4, PING, true);
        heartbeat.pinged(ms(100));
        assert_eq!(heartbeat.deadline(), ms(900));
        heartbeat.pinged(ms(500));
        assert_eq!(
            heartbeat.deadline(),
            ms(900),
            "later ones may have waited in a buffer"
        );
        let mut known = Heartbeat::start(ms(0), Revision::V4, PING, false);
        known.pinged(ms(100));
        assert_eq!(known.deadline(), ms(1_800));
    }
}
