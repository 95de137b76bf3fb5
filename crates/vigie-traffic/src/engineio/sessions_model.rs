//! The table against the same rules written as plainly as can be.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::tests::{PING, ms, sid};
use super::*;

/// Everything in lists, looked through each time.
#[derive(Default)]
struct Model {
    live: Vec<(Sid, Option<TunnelId>, Option<Heartbeat>)>,
    candidates: Vec<(Sid, TunnelId)>,
    dead: Vec<(Sid, Duration)>,
    max: usize,
}

impl Model {
    fn position(&self, sid: &Sid) -> Option<usize> {
        self.live.iter().position(|live| live.0 == *sid)
    }

    fn close(&mut self, now: Duration, at: usize) {
        let (sid, ..) = self.live.remove(at);
        self.candidates.retain(|candidate| candidate.0 != sid);
        self.dead.retain(|dead| dead.0 != sid);
        self.dead.push((sid, now));
    }

    fn open(
        &mut self,
        now: Duration,
        sid: Sid,
        transport: Transport,
        revision: Revision,
        adopted: bool,
    ) {
        if self.live.len() >= self.max {
            return;
        }
        self.dead.retain(|dead| dead.0 != sid);
        self.live.push(match transport {
            Transport::Websocket(tunnel) => (sid, Some(tunnel), None),
            Transport::Polling => (
                sid,
                None,
                Some(Heartbeat::start(now, revision, PING.unwrap(), adopted)),
            ),
        });
    }

    fn apply(&mut self, now: Duration, event: Event) {
        let silent = |live: &(_, _, Option<Heartbeat>)| {
            live.2
                .as_ref()
                .is_some_and(|heartbeat| heartbeat.deadline() <= now)
        };
        while let Some(at) = self.live.iter().position(silent) {
            self.close(now, at);
        }
        let proof = |model: &Self, sid: &Sid, began: Duration| {
            model
                .dead
                .iter()
                .all(|dead| dead.0 != *sid || began > dead.1 + ms(1_000))
        };
        match event {
            Event::Opened {
                sid,
                transport,
                revision,
                ..
            } => {
                if self.position(&sid).is_none() {
                    self.open(now, sid, transport, revision, false);
                }
            }
            Event::Answered {
                sid,
                revision,
                began,
                pinged,
            } => {
                if self.position(&sid).is_none() && proof(self, &sid, began) {
                    self.open(now, sid.clone(), Transport::Polling, revision, true);
                }
                if pinged
                    && let Some(at) = self.position(&sid)
                    && let Some(heartbeat) = &mut self.live[at].2
                {
                    heartbeat.pinged(now);
                }
            }
            Event::Received { sid, received } => {
                if let Some(at) = self.position(&sid)
                    && let Some(heartbeat) = &mut self.live[at].2
                    && !heartbeat.received(now, received)
                {
                    self.close(now, at);
                }
            }
            Event::PollingEnded { sid } => {
                if let Some(at) = self.position(&sid)
                    && self.live[at].1.is_none()
                {
                    self.close(now, at);
                }
            }
            Event::Unknown { sid } => {
                if let Some(at) = self.position(&sid) {
                    self.close(now, at);
                }
            }
            Event::Candidate { sid, tunnel } => {
                let polls = self
                    .position(&sid)
                    .is_some_and(|at| self.live[at].1.is_none());
                if polls && self.candidates.iter().all(|candidate| candidate.0 != sid) {
                    self.candidates.push((sid, tunnel));
                }
            }
            Event::CandidateDropped { sid, tunnel } => {
                self.candidates
                    .retain(|candidate| *candidate != (sid.clone(), tunnel));
            }
            Event::Upgraded {
                sid,
                tunnel,
                revision,
                began,
            } => match self.position(&sid) {
                Some(at) if self.candidates.contains(&(sid.clone(), tunnel)) => {
                    self.live[at] = (sid.clone(), Some(tunnel), None);
                    self.candidates.retain(|candidate| candidate.0 != sid);
                }
                Some(_) => {}
                None if proof(self, &sid, began) => {
                    self.open(now, sid, Transport::Websocket(tunnel), revision, true);
                }
                None => {}
            },
            Event::TunnelClosed { sid, tunnel } => {
                if let Some(at) = self.position(&sid)
                    && self.live[at].1 == Some(tunnel)
                {
                    self.close(now, at);
                }
            }
            Event::TunnelLost { sid, tunnel } => {
                let is_candidate = self.candidates.contains(&(sid.clone(), tunnel));
                if let Some(at) = self.position(&sid)
                    && (self.live[at].1 == Some(tunnel) || is_candidate)
                {
                    self.live.remove(at);
                    self.candidates.retain(|candidate| candidate.0 != sid);
                }
            }
        }
    }
}

fn events() -> impl Strategy<Value = Event> {
    let sid = || (0u8..6).prop_map(sid);
    let tunnel = || (0u64..4).prop_map(TunnelId);
    let revision = || prop_oneof![Just(Revision::V3), Just(Revision::V4)];
    let received = any::<[bool; 4]>().prop_map(|[ping, pong, other, close]| Received {
        ping,
        pong,
        other,
        close,
    });
    let transport = prop_oneof![
        Just(Transport::Polling),
        tunnel().prop_map(Transport::Websocket)
    ];
    let began = || (0u64..10_000).prop_map(ms);
    prop_oneof![
        (sid(), transport, revision()).prop_map(|(sid, transport, revision)| Event::Opened {
            sid,
            transport,
            revision,
            ping: PING
        }),
        (sid(), revision(), began(), any::<bool>()).prop_map(|(sid, revision, began, pinged)| {
            Event::Answered {
                sid,
                revision,
                began,
                pinged,
            }
        }),
        (sid(), received).prop_map(|(sid, received)| Event::Received { sid, received }),
        sid().prop_map(|sid| Event::PollingEnded { sid }),
        sid().prop_map(|sid| Event::Unknown { sid }),
        (sid(), tunnel()).prop_map(|(sid, tunnel)| Event::Candidate { sid, tunnel }),
        (sid(), tunnel()).prop_map(|(sid, tunnel)| Event::CandidateDropped { sid, tunnel }),
        (sid(), tunnel(), revision(), began()).prop_map(|(sid, tunnel, revision, began)| {
            Event::Upgraded {
                sid,
                tunnel,
                revision,
                began,
            }
        }),
        (sid(), tunnel()).prop_map(|(sid, tunnel)| Event::TunnelClosed { sid, tunnel }),
        (sid(), tunnel()).prop_map(|(sid, tunnel)| Event::TunnelLost { sid, tunnel }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn agrees_with_the_model_whatever_happens(history in prop::collection::vec((0u64..700, events()), 0..120)) {
        let limits = Limits { max_sessions: 4, max_tombstones: 1_000, tombstone_ttl: Duration::from_secs(3_600) };
        let mut sessions = Sessions::new(limits);
        sessions.ping = PING.unwrap();
        let mut model = Model { max: limits.max_sessions, ..Model::default() };
        let mut now = Duration::ZERO;
        for (wait, event) in history {
            now += ms(wait);
            sessions.apply(now, event.clone());
            model.apply(now, event);
            let counts = sessions.counts();
            prop_assert_eq!(counts.websocket, model.live.iter().filter(|live| live.1.is_some()).count());
            prop_assert_eq!(counts.polling, model.live.iter().filter(|live| live.1.is_none()).count());
            prop_assert_eq!(counts.sessions(), sessions.sessions.len());
            prop_assert_eq!(counts.polling, sessions.deadlines.len());
            prop_assert!(counts.sessions() <= limits.max_sessions);
            for (sid, ..) in &model.live {
                prop_assert!(sessions.sessions.contains_key(sid));
            }
            let next = model.live.iter().filter_map(|live| live.2.as_ref().map(Heartbeat::deadline)).min();
            prop_assert_eq!(sessions.next_deadline(), next);
        }
    }

    #[test]
    fn memory_is_bounded(history in prop::collection::vec((0u64..700, events()), 0..200)) {
        let limits = Limits { max_sessions: 2, max_tombstones: 3, tombstone_ttl: Duration::from_secs(5) };
        let mut sessions = Sessions::new(limits);
        let mut now = Duration::ZERO;
        for (wait, event) in history {
            now += ms(wait);
            sessions.apply(now, event);
            let (closed, order) = sessions.tombstones.len();
            prop_assert!(closed <= order && order <= 3);
            prop_assert!(sessions.sessions.len() <= 2 && sessions.deadlines.len() <= 2);
        }
    }
}
