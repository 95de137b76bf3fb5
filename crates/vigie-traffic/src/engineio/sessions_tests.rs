#![allow(clippy::unwrap_used)]

use super::*;

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn sid(n: u8) -> Sid {
    Sid::new(&format!("sid{n}")).unwrap()
}

pub(super) const PING: Option<Ping> = Some(Ping {
    interval: Duration::from_millis(1_000),
    timeout: Duration::from_millis(800),
});

fn opened(n: u8) -> Event {
    Event::Opened {
        sid: sid(n),
        transport: Transport::Polling,
        revision: Revision::V4,
        ping: PING,
    }
}

fn answered(n: u8, began: u64) -> Event {
    Event::Answered {
        sid: sid(n),
        revision: Revision::V4,
        began: ms(began),
        pinged: false,
    }
}

#[test]
fn a_late_answer_does_not_bring_a_session_back_but_a_later_request_does() {
    let mut sessions = Sessions::new(Limits::default());
    sessions.apply(ms(0), opened(1));
    sessions.apply(ms(100), Event::PollingEnded { sid: sid(1) });
    sessions.apply(ms(150), answered(1, 50));
    sessions.apply(ms(160), answered(1, 120));
    assert_eq!(sessions.counts().sessions(), 0);
    sessions.apply(ms(5_000), answered(1, 1_101));
    assert_eq!(
        sessions.counts().sessions(),
        1,
        "the server knew it when the request came"
    );
    assert_eq!(sessions.counts().adopted, 1);
}

#[test]
fn a_tombstone_lasts_for_its_time() {
    let mut sessions = Sessions::new(Limits::default());
    sessions.apply(ms(0), opened(1));
    sessions.apply(ms(1), Event::Unknown { sid: sid(1) });
    sessions.apply(ms(299_000), answered(1, 0));
    assert_eq!(sessions.counts().sessions(), 0);
    assert_eq!(sessions.tombstones.len(), (1, 1));
    sessions.expire(ms(300_001));
    assert_eq!(sessions.tombstones.len(), (0, 0));
}

#[test]
fn an_adopted_session_uses_the_apps_settings() {
    let mut sessions = Sessions::new(Limits::default());
    sessions.apply(ms(0), answered(1, 0));
    assert_eq!(
        sessions.next_deadline(),
        Some(ms(45_000)),
        "engine.io's defaults"
    );
    sessions.apply(ms(10), opened(2));
    sessions.apply(ms(20), answered(3, 15));
    sessions.expire(ms(2_000));
    assert_eq!(sessions.counts().sessions(), 1);
    assert_eq!(sessions.counts().adopted, 2);
}

#[test]
fn a_full_table_refuses_and_goes_on() {
    let limits = Limits {
        max_sessions: 2,
        ..Limits::default()
    };
    let mut sessions = Sessions::new(limits);
    (0..5).for_each(|n| sessions.apply(ms(0), opened(n)));
    sessions.apply(ms(1), answered(9, 0));
    let counts = sessions.counts();
    assert_eq!(
        (counts.sessions(), counts.refused, counts.adopted),
        (2, 3, 0)
    );
    sessions.apply(ms(2), opened(0));
    assert_eq!(sessions.counts().refused, 3, "it is in the table already");
    sessions.apply(ms(3), Event::Unknown { sid: sid(0) });
    sessions.apply(ms(4), answered(9, 3));
    assert_eq!(sessions.counts().adopted, 1);
}

#[test]
fn only_the_first_websocket_can_become_the_transport() {
    let mut sessions = Sessions::new(Limits::default());
    let (first, second) = (TunnelId(1), TunnelId(2));
    let upgraded = |tunnel| Event::Upgraded {
        sid: sid(1),
        tunnel,
        revision: Revision::V4,
        began: ms(0),
    };
    sessions.apply(ms(0), opened(1));
    for tunnel in [first, second] {
        sessions.apply(
            ms(1),
            Event::Candidate {
                sid: sid(1),
                tunnel,
            },
        );
    }
    sessions.apply(ms(2), upgraded(second));
    assert_eq!(sessions.counts().websocket, 0);
    sessions.apply(ms(3), upgraded(first));
    assert_eq!(
        (sessions.counts().polling, sessions.counts().websocket),
        (0, 1)
    );
    sessions.apply(
        ms(4),
        Event::TunnelClosed {
            sid: sid(1),
            tunnel: second,
        },
    );
    sessions.apply(ms(4), Event::PollingEnded { sid: sid(1) });
    sessions.expire(ms(100_000));
    assert_eq!(
        sessions.counts().sessions(),
        1,
        "no timer runs, no poll matters"
    );
    sessions.apply(
        ms(100_001),
        Event::TunnelClosed {
            sid: sid(1),
            tunnel: first,
        },
    );
    assert_eq!(sessions.counts().sessions(), 0);
}

#[test]
fn many_sessions_cost_no_scan() {
    let mut sessions = Sessions::new(Limits::default());
    let sid = |n: u64| Sid::new(&n.to_string()).unwrap();
    let pong = Received {
        pong: true,
        ..Received::default()
    };
    for n in 0..10_000 {
        let transport = Transport::Polling;
        sessions.apply(
            ms(n / 100),
            Event::Opened {
                sid: sid(n),
                transport,
                revision: Revision::V4,
                ping: PING,
            },
        );
    }
    // Would take minutes if each event or expiry looked at all sessions.
    for round in 1..20 {
        for n in 0..10_000 {
            sessions.apply(
                ms(round * 500 + n / 100),
                Event::Received {
                    sid: sid(n),
                    received: pong,
                },
            );
        }
    }
    assert_eq!(sessions.counts().polling, 10_000);
    sessions.expire(ms(20_000));
    assert_eq!(sessions.counts().sessions(), 0);
}
