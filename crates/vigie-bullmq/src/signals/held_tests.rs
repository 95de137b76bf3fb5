use super::super::tests::{
    FREE, NONE, NOW, Told, ago, anew, answer, array, asked, begin, levels, nobody, texts,
};
use super::super::{Known, Look, Remembered, Signals};
use super::*;
use crate::events::pauses::Pauses;
use crate::queues::key::QueueKey;

/// A rate limit where one job waits, of which the events told.
fn limit(most: Option<u64>, window: Value, counted: Option<Value>) -> (Option<bool>, Option<u64>) {
    let key = QueueKey::new("bull", "q");
    let told = Told::default();
    let mut one = levels(&[(State::Prioritized, 1)]);
    one.rate = most;
    let mut look = anew(&key, one);
    assert_eq!(asked(&look)[2], "PTTL bull:q:limiter");
    answer(&mut look, &told, &[nobody(), NONE, window]);
    if let Some(counted) = counted {
        assert_eq!(asked(&look), ["GET bull:q:limiter"]);
        answer(&mut look, &told, &[counted]);
    }
    assert!(asked(&look).is_empty());
    let (signals, _) = look.end();
    (signals.rate_limited, signals.rate_limit_reset)
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
    // It ended between the two questions.
    assert_eq!(limit(Some(3), left.clone(), Some(Value::Nil)), (no, None));
    // By `rateLimit()`, with another limit and without.
    let by_hand = begun("9007199254740991");
    assert_eq!(
        limit(Some(3), left.clone(), by_hand.clone()),
        (yes, Some(1_500))
    );
    assert_eq!(limit(None, left.clone(), by_hand), (yes, Some(1_500)));
    // Counted against a limit that only workers know.
    assert_eq!(limit(None, left.clone(), begun("3")), (None, Some(1_500)));
    // Others' keys.
    assert_eq!(limit(Some(3), left, begun("many")), (None, Some(1_500)));
    assert_eq!(limit(Some(3), Value::Nil, None), (None, None));
}

#[test]
fn of_bulls_rate_limits_nothing_is_known() {
    let key = QueueKey::new("bull", "q");
    let known = Known {
        key: &key,
        now: Some(NOW),
        levels: levels(&[]),
        events: false,
        remembered: Remembered::default(),
    };
    let mut look = Look::new(known, &mut 1);
    assert_eq!(asked(&look), ["ZCARD bull:q:repeat"]);
    answer(&mut look, &Told::default(), &[NONE]);
    assert_eq!(look.end().0.rate_limited, None);
}

fn paused() -> Levels {
    Levels {
        paused: Some(true),
        ..levels(&[])
    }
}

fn told(began: u64, deaf: bool) -> Told {
    let mut pauses = Pauses::default();
    pauses.paused(began);
    Told {
        pauses,
        deaf,
        ..Told::default()
    }
}

/// The whole look at an idle queue, with these entries if it asks for them.
fn whole(mut look: Look<'_>, told: &Told, entries: Option<Value>) -> (Signals, Remembered) {
    answer(&mut look, told, &[NONE]);
    if let Some(entries) = entries {
        assert_eq!(asked(&look), ["XREVRANGE bull:q:events + - COUNT 500"]);
        answer(&mut look, told, &[entries]);
    }
    assert!(asked(&look).is_empty());
    look.end()
}

#[test]
fn a_pause_that_was_seen_is_not_asked_for() {
    let key = QueueKey::new("bull", "q");
    let (signals, remembered) = whole(anew(&key, paused()), &told(ago(7), false), None);
    assert_eq!(signals.paused, Some(ago(7)));
    // Its event may be forgotten by then.
    let (signals, remembered) = whole(begin(&key, paused(), remembered), &Told::default(), None);
    assert_eq!(signals.paused, Some(ago(7)));
    // Unheard of for a while, and heard again.
    let (signals, remembered) = whole(begin(&key, paused(), remembered), &told(ago(7), true), None);
    assert_eq!(signals.paused, None);
    let (signals, remembered) = whole(begin(&key, paused(), remembered), &Told::default(), None);
    assert_eq!(signals.paused, Some(ago(7)));
    // Resumed.
    let (signals, remembered) = whole(begin(&key, levels(&[]), remembered), &Told::default(), None);
    assert_eq!(signals.paused, None);
    assert_eq!(remembered, Remembered::default());
}

#[test]
fn a_pause_of_before_is_searched_for_once() {
    let key = QueueKey::new("bull", "q");
    let entry = |seconds: u64, event: &str| {
        let id = Value::BulkString(format!("{}-0", ago(seconds)).into());
        array([id, texts(&["event", event])])
    };
    let told = Told::default();
    let back = array([entry(3, "added"), entry(9, "paused"), entry(20, "added")]);
    let (signals, remembered) = whole(anew(&key, paused()), &told, Some(back));
    assert_eq!(signals.paused, Some(ago(9)));
    let (signals, _) = whole(begin(&key, paused(), remembered), &told, None);
    assert_eq!(signals.paused, Some(ago(9)));

    let refused = Value::Nil;
    let (signals, remembered) = whole(anew(&key, paused()), &told, Some(refused));
    assert_eq!((signals.paused, remembered), (None, Remembered::default()));

    // Too many at once: another time.
    let known = Known {
        key: &key,
        now: Some(NOW),
        levels: paused(),
        events: true,
        remembered: Remembered::default(),
    };
    let (signals, _) = whole(Look::new(known, &mut 0), &told, None);
    assert_eq!(signals.paused, None);
}
