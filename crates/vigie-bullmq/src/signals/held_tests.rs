use super::*;
use crate::events::pauses::Pauses;
use crate::protocol::key::QueueKey;
use crate::signals::inspection::{Inspection, Remembered, Signals, Subject};
use crate::signals::testing::*;
use redis::Value;

/// The rate limit signals of a queue with one ready job that is known from events; the time in milliseconds.
fn limit(most: Option<u64>, window: Value, counted: Option<Value>) -> (Option<bool>, Option<u128>) {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    let mut one = levels(&[(State::Prioritized, 1)]);
    one.rate = most;
    let mut inspection = anew(&key, one);
    assert_eq!(asked(&inspection)[2], "PTTL bull:q:limiter");
    answer(&mut inspection, &stub, &[no_hash(), NONE, window]);
    if let Some(counted) = counted {
        assert_eq!(asked(&inspection), ["GET bull:q:limiter"]);
        answer(&mut inspection, &stub, &[counted]);
    }
    assert!(asked(&inspection).is_empty());
    let (signals, _) = inspection.end();
    let reset = signals.rate_limit_reset.map(|reset| reset.as_millis());
    (signals.rate_limited, reset)
}

#[test]
fn a_rate_limit_is_used_up() {
    let left = Value::Int(1_500);
    let begun = |jobs: &str| Some(Value::BulkString(jobs.into()));
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(limit(Some(3), left.clone(), begun("3")), (yes, Some(1_500)));
    assert_eq!(limit(Some(3), left.clone(), begun("2")), (no, Some(1_500)));
    assert_eq!(limit(Some(3), FREE, None), (no, None));
    assert_eq!(limit(Some(3), Value::Int(-1), None), (no, None));
    // The window ended between the two commands.
    assert_eq!(limit(Some(3), left.clone(), Some(Value::Nil)), (no, None));
    // `rateLimit()`, with and without another limit.
    let by_hand = begun("9007199254740991");
    assert_eq!(
        limit(Some(3), left.clone(), by_hand.clone()),
        (yes, Some(1_500))
    );
    assert_eq!(limit(None, left.clone(), by_hand), (yes, Some(1_500)));
    // Counted against a limit that is only set in the workers.
    assert_eq!(limit(None, left.clone(), begun("3")), (None, Some(1_500)));
    // Keys of other programs.
    assert_eq!(limit(Some(3), left, begun("many")), (None, Some(1_500)));
    assert_eq!(limit(Some(3), Value::Nil, None), (None, None));
}

#[test]
fn rate_limits_of_bull_are_unknown() {
    let key = QueueKey::new("bull", "q");
    let known = Subject {
        key: &key,
        now: Some(NOW),
        levels: levels(&[]),
        events: false,
        remembered: Remembered::default(),
    };
    let mut inspection = Inspection::new(known, &mut 1);
    assert_eq!(asked(&inspection), ["ZCARD bull:q:repeat"]);
    answer(&mut inspection, &StubEvents::default(), &[NONE]);
    assert_eq!(inspection.end().0.rate_limited, None);
}

fn paused() -> Levels {
    Levels {
        paused: Some(true),
        ..levels(&[])
    }
}

fn stub(began: u64, unfollowed: bool) -> StubEvents {
    let mut pauses = Pauses::default();
    pauses.paused(began);
    StubEvents {
        pauses,
        unfollowed,
        ..StubEvents::default()
    }
}

/// The complete inspection of an idle queue, with these entries if they are read.
fn whole(
    mut inspection: Inspection<'_>,
    stub: &StubEvents,
    entries: Option<Value>,
) -> (Signals, Remembered) {
    answer(&mut inspection, stub, &[NONE]);
    if let Some(entries) = entries {
        assert_eq!(
            asked(&inspection),
            ["XREVRANGE bull:q:events + - COUNT 500"]
        );
        answer(&mut inspection, stub, &[entries]);
    }
    assert!(asked(&inspection).is_empty());
    inspection.end()
}

#[test]
fn a_pause_seen_in_events_is_not_searched_for() {
    let key = QueueKey::new("bull", "q");
    let (signals, remembered) = whole(anew(&key, paused()), &stub(ago(7), false), None);
    assert_eq!(signals.paused, since(7));
    // The event may have been forgotten by then.
    let (signals, remembered) = whole(
        begin(&key, paused(), remembered),
        &StubEvents::default(),
        None,
    );
    assert_eq!(signals.paused, since(7));
    // Events not followed for a while, then followed again.
    let (signals, remembered) = whole(begin(&key, paused(), remembered), &stub(ago(7), true), None);
    assert_eq!(signals.paused, None);
    let (signals, remembered) = whole(
        begin(&key, paused(), remembered),
        &StubEvents::default(),
        None,
    );
    assert_eq!(signals.paused, since(7));
    // Resumed.
    let (signals, remembered) = whole(
        begin(&key, levels(&[]), remembered),
        &StubEvents::default(),
        None,
    );
    assert_eq!(signals.paused, None);
    assert_eq!(remembered, Remembered::default());
}

#[test]
fn an_earlier_pause_is_searched_for_once() {
    let key = QueueKey::new("bull", "q");
    let entry = |seconds: u64, event: &str| {
        let id = Value::BulkString(format!("{}-0", ago(seconds)).into());
        array([id, texts(&["event", event])])
    };
    let stub = StubEvents::default();
    let back = array([entry(3, "added"), entry(9, "paused"), entry(20, "added")]);
    let (signals, remembered) = whole(anew(&key, paused()), &stub, Some(back));
    assert_eq!(signals.paused, since(9));
    let (signals, _) = whole(begin(&key, paused(), remembered), &stub, None);
    assert_eq!(signals.paused, since(9));

    let refused = Value::Nil;
    let (signals, remembered) = whole(anew(&key, paused()), &stub, Some(refused));
    assert_eq!((signals.paused, remembered), (None, Remembered::default()));

    // Above the limit of streams to read back: postponed.
    let known = Subject {
        key: &key,
        now: Some(NOW),
        levels: paused(),
        events: true,
        remembered: Remembered::default(),
    };
    let (signals, _) = whole(Inspection::new(known, &mut 0), &stub, None);
    assert_eq!(signals.paused, None);
}
