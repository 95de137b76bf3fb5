use super::*;
use crate::protocol::levels::State;
use crate::protocol::testing::bulk;
use proptest::prelude::*;

fn replies_of(sizes: [i64; 8], paused: bool, version: &str, tails: &[&[&str]]) -> Vec<Value> {
    let mut replies: Vec<Value> = sizes.map(Value::Int).to_vec();
    let flag = if paused { bulk("1") } else { Value::Nil };
    let meta = vec![flag, Value::Nil, Value::Nil, bulk(version)];
    replies.push(Value::Array(meta));
    let none: &[&str] = &[];
    for at in 0..if tails.is_empty() { 0 } else { SEARCHED.len() } {
        let tail = tails.get(at).unwrap_or(&none);
        replies.push(Value::Array(tail.iter().map(|entry| bulk(entry)).collect()));
    }
    replies
}

#[test]
fn as_many_commands_as_replies() {
    for markers in [false, true] {
        let mut pipeline = redis::pipe();
        append(&mut pipeline, &QueueKey::new("bull", "q"), markers);
        assert_eq!(pipeline.len(), replies(markers));
    }
}

#[test]
fn every_state_has_its_own_key() {
    let (levels, again) = read(&replies_of(
        [1, 0, 2, 3, 4, 5, 6, 7],
        false,
        "bullmq:5.81.5",
        &[],
    ));
    let by_state = State::ALL.map(|state| (state.as_str(), levels.get(state)));
    let expected = [
        ("waiting", Some(1)),
        ("active", Some(2)),
        ("delayed", Some(4)),
        ("prioritized", Some(3)),
        ("paused", Some(0)),
        ("waiting-children", Some(5)),
    ];
    assert_eq!(by_state, expected);
    assert_eq!(levels.retained, [Some(6), Some(7)]);
    assert_eq!(levels.paused, Some(false));
    assert!(!again);
}

#[test]
fn a_pause_holds_jobs_back_in_every_version() {
    let levels = |sizes, paused| {
        let (levels, _) = read(&replies_of(sizes, paused, "bullmq:6.7.0", &[]));
        assert_eq!(levels.paused, Some(paused));
        (levels.get(State::Waiting), levels.get(State::Paused))
    };
    assert_eq!(levels([4, 0, 0, 0, 0, 0, 0, 0], true), (Some(0), Some(4)));
    assert_eq!(levels([0, 3, 0, 0, 0, 0, 0, 0], true), (Some(0), Some(3)));
    assert_eq!(levels([4, 3, 0, 0, 0, 0, 0, 0], true), (Some(0), Some(7)));
    // Left behind by an upgrade.
    assert_eq!(levels([4, 3, 0, 0, 0, 0, 0, 0], false), (Some(4), Some(3)));
}

#[test]
fn markers_are_no_jobs() {
    let waiting = |tail: &[&str], version| {
        let (levels, again) = read(&replies_of(
            [3, 0, 0, 0, 0, 0, 0, 0],
            false,
            version,
            &[tail, &[]],
        ));
        (levels.get(State::Waiting), again)
    };
    let four = "bullmq:4.18.3";
    assert_eq!(
        waiting(&["2", "0:1795425686973", "3"], four),
        (Some(2), true)
    );
    assert_eq!(waiting(&["1", "2", "0:0"], four), (Some(2), true));
    assert_eq!(waiting(&["1", "2", "3"], four), (Some(3), true));
    // A custom job id.
    assert_eq!(waiting(&["1", "0:mine", "3"], four), (Some(3), true));
    // Left behind by an upgrade: searched for until it is gone.
    let six = "bullmq:6.7.0";
    assert_eq!(waiting(&["1", "2", "0:0"], six), (Some(2), true));
    assert_eq!(waiting(&["1", "2", "3"], six), (Some(3), false));
    assert_eq!(waiting(&["1", "2", "3"], "?"), (Some(3), true));
}

#[test]
fn markers_that_killed_workers_left_are_not_active() {
    let active = ["0:0", "7", "0:0", "0:1795425686973", "6"];
    let four = "bullmq:4.18.3";
    let sizes = [1, 0, 5, 0, 0, 0, 0, 0];
    let (levels, again) = read(&replies_of(sizes, false, four, &[&["0:0"], &[], &active]));
    assert_eq!(levels.get(State::Waiting), Some(0));
    assert_eq!(levels.get(State::Active), Some(2));
    assert!(again);
}

#[test]
fn a_reply_that_is_missing_makes_its_level_unknown() {
    let all = |version| replies_of([4, 0, 5, 1, 1, 1, 1, 1], false, version, &[&["9"]]);
    let (four, five) = ("bullmq:4.18.3", "bullmq:5.0.0");
    // The ends of the lists.
    let mut replies = all(four);
    replies[PLAIN..].fill(Value::Okay);
    let (levels, _) = read(&replies);
    assert_eq!(levels.states, [None, None, Some(1), Some(1), None, Some(1)]);
    let mut replies = all(five);
    replies[PLAIN..].fill(Value::Okay);
    assert_eq!(read(&replies).0.get(State::Waiting), Some(4));
    // The pause flag.
    let mut replies = all(five);
    replies[8] = Value::Okay;
    let (levels, _) = read(&replies);
    assert_eq!((levels.get(State::Waiting), levels.paused), (None, None));
    assert_eq!(levels.get(State::Active), Some(5));
    replies[0] = Value::Int(0);
    assert_eq!(read(&replies).0.get(State::Waiting), Some(0));
}

#[test]
fn bounds_of_the_queue() {
    let bounded = |active, concurrency: &str, max| {
        let mut replies = replies_of([9, 0, active, 0, 0, 0, 0, 0], false, "", &[]);
        replies[8] = Value::Array(vec![Value::Nil, bulk(concurrency), max]);
        let (levels, _) = read(&replies);
        (
            levels.concurrency,
            levels.concurrency_reached(),
            levels.rate,
        )
    };
    assert_eq!(bounded(2, "3", Value::Nil), (Some(3), Some(false), None));
    assert_eq!(
        bounded(3, "3", bulk("100")),
        (Some(3), Some(true), Some(100))
    );
    assert_eq!(bounded(2, "2.5", bulk("-1")), (Some(3), Some(false), None));
    assert_eq!(bounded(0, "0", bulk("many")), (Some(0), Some(true), None));
    assert_eq!(bounded(9, "nan", Value::Nil), (None, None, None));
    assert_eq!(bounded(-1, "3", Value::Nil), (Some(3), None, None));
}

#[test]
fn a_key_of_another_type_is_unknown_and_not_zero() {
    let mut replies = replies_of([1, 0, 2, 3, 4, 5, 6, 7], true, "bullmq:5.0.0", &[]);
    replies[0] = Value::Nil;
    replies[3] = Value::Nil;
    let (levels, _) = read(&replies);
    assert_eq!(levels.get(State::Waiting), None);
    assert_eq!(levels.get(State::Paused), None);
    assert_eq!(levels.get(State::Prioritized), None);
    assert_eq!(levels.get(State::Active), Some(2));
}

proptest! {
    #[test]
    fn any_replies_are_taken(numbers in prop::collection::vec(any::<i64>(), 0..12), paused: bool) {
        let mut replies: Vec<_> = numbers.into_iter().map(Value::Int).collect();
        if paused && replies.len() > 8 {
            replies[8] = Value::Array(vec![bulk("1")]);
        }
        read(&replies);
    }
}
