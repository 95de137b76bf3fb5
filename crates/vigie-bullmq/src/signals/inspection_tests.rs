#![allow(clippy::unwrap_used)]
use super::*;
use crate::protocol::testing::bulk;
use crate::signals::testing::*;
use proptest::prelude::*;
use redis::Value;
use std::collections::HashMap;

#[test]
fn of_an_empty_queue_only_schedulers_are_asked() {
    let key = QueueKey::new("bull", "q");
    let mut inspection = anew(&key, levels(&[]));
    assert_eq!(asked(&inspection), ["ZCARD bull:q:repeat"]);
    answer(&mut inspection, &StubEvents::default(), &[NONE]);
    assert!(asked(&inspection).is_empty());
    let (signals, _) = inspection.end();
    let (zero, nothing) = (Some(0), Some(Since::Nothing));
    let expected = Signals {
        oldest_waiting: nothing,
        oldest_active: nothing,
        without_lock: zero,
        overdue: zero,
        scheduler_late: nothing,
        schedulers: zero,
        oldest_waiting_children: nothing,
        paused: None,
        rate_limited: Some(false),
        rate_limit_reset: None,
    };
    assert_eq!(signals, expected);
}

#[test]
fn times_known_from_events_are_not_read() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents {
        ready: HashMap::from([(&b"1"[..], ago(5)), (&b"2"[..], ago(7))]),
        started: HashMap::from([(&b"3"[..], ago(9))]),
        ..StubEvents::default()
    };
    let levels = levels(&[(State::Waiting, 2), (State::Active, 1)]);
    let mut inspection = anew(&key, levels);
    let replies = [texts(&["1", "2"]), texts(&["3"]), NONE, FREE];
    answer(&mut inspection, &stub, &replies);
    let expected = [
        "EXISTS bull:q:3:lock",
        "HGET bull:q:3 processedOn",
        "LRANGE bull:q:active -100 -1",
    ];
    assert_eq!(asked(&inspection), expected);
    answer(&mut inspection, &stub, &[Value::Int(1), NIL, texts(&["3"])]);
    let (signals, remembered) = inspection.end();
    assert_eq!(signals.oldest_waiting, since(7));
    assert_eq!(signals.oldest_active, since(9));
    assert_eq!(signals.without_lock, Some(0));
    assert_eq!(remembered.waiting, []);
}

/// The clock is read first; without it, only signals that do not need it are known.
#[test]
fn without_a_clock_nothing_has_an_age() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    let mut all = levels(&State::ALL.map(|state| (state, 1)));
    all.paused = Some(true);
    let mut inspection = begin_at(None, &key, all, Remembered::default());
    let expected = [
        "LRANGE bull:q:active -100 -1",
        "ZCARD bull:q:repeat",
        "PTTL bull:q:limiter",
    ];
    assert_eq!(asked(&inspection), expected);
    answer(
        &mut inspection,
        &stub,
        &[texts(&["7"]), Value::Int(2), FREE],
    );
    answer(
        &mut inspection,
        &stub,
        &[Value::Int(0), bulk("17"), texts(&["7"])],
    );
    assert!(asked(&inspection).is_empty());
    let (signals, _) = inspection.end();
    let expected = Signals {
        // The start by the worker's clock is known, but has no age without the server's clock.
        oldest_active: Some(Since::At(17)),
        without_lock: Some(1),
        schedulers: Some(2),
        rate_limited: Some(false),
        ..Signals::default()
    };
    assert_eq!(signals, expected);
}

/// An unusable reply makes only its own signal unknown.
#[test]
fn an_unusable_reply_is_unknown() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    let mut inspection = anew(&key, levels(&State::ALL.map(|state| (state, 1))));
    let steps = asked(&inspection).len();
    answer(&mut inspection, &stub, &vec![Value::Okay; steps]);
    assert!(asked(&inspection).is_empty());
    assert_eq!(inspection.end().0, Signals::default());
}

#[test]
fn a_pause_has_both_lists_read() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents {
        ready: HashMap::from([(&b"1"[..], ago(5)), (&b"2"[..], ago(7))]),
        ..StubEvents::default()
    };
    let mut inspection = anew(&key, levels(&[(State::Paused, 2)]));
    answer(
        &mut inspection,
        &stub,
        &[texts(&["1"]), texts(&["2"]), NONE],
    );
    assert_eq!(inspection.end().0.oldest_waiting, since(7));
}

#[test]
fn priorities_are_walked_and_unknown_jobs_asked_once() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    // A job of one priority, and possibly another of a later priority.
    let level = |jobs: &[(u64, &str)]| {
        let scored = jobs.iter().map(|(priority, job)| {
            let score = (priority << 32) + 17;
            [bulk(job), bulk(&score.to_string())]
        });
        array(scored.flatten())
    };
    let prioritized = levels(&[(State::Prioritized, 9)]);
    let mut inspection = anew(&key, prioritized);
    answer(
        &mut inspection,
        &stub,
        &[level(&[(1, "a"), (2, "b")]), NONE, FREE],
    );
    let expected = [
        "HMGET bull:q:a timestamp opts processedOn attemptsMade ats",
        "EXISTS bull:q:a:processed",
        "ZRANGEBYSCORE bull:q:prioritized 8589934592 +inf WITHSCORES LIMIT 0 2",
    ];
    assert_eq!(asked(&inspection), expected);
    let fresh = hash(&[Some(ago(3)), None, None, None, None]);
    answer(
        &mut inspection,
        &stub,
        &[fresh, Value::Int(0), level(&[(2_097_152, "b")])],
    );
    // The job ran before; the time of its return is unknown.
    let ran = hash(&[Some(ago(90)), None, Some(ago(80)), None, None]);
    answer(&mut inspection, &stub, &[ran, Value::Int(0)]);
    assert!(asked(&inspection).is_empty());
    let (signals, remembered) = inspection.end();
    assert_eq!(signals.oldest_waiting, since(3));
    // The next inspection, a minute later.
    let mut inspection = begin_at(Some(NOW + 60_000), &key, prioritized, remembered);
    answer(
        &mut inspection,
        &stub,
        &[level(&[(1, "a"), (2, "b")]), NONE, FREE],
    );
    answer(&mut inspection, &stub, &[level(&[(2, "b"), (3, "c")])]);
    answer(&mut inspection, &stub, &[no_hash()]);
    assert!(asked(&inspection).is_empty());
    let (signals, remembered) = inspection.end();
    assert_eq!(
        (signals.oldest_waiting, remembered.waiting.len()),
        (since(3), 2)
    );
}

#[test]
fn of_a_long_list_the_last_in_line_is_asked_too() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents {
        ready: HashMap::from([(&b"h"[..], ago(9))]),
        ..StubEvents::default()
    };
    let waiting = levels(&[(State::Waiting, 8)]);
    let next = ["8", "7", "6", "5", "4", "3", "2", "1"];
    let mut inspection = anew(&key, waiting);
    answer(&mut inspection, &stub, &[texts(&next), NONE, FREE]);
    assert_eq!(asked(&inspection)[0], "LRANGE bull:q:wait 0 1");
    let fresh = hash(&[Some(ago(3)), None, None, None, None]);
    let hashes = next.iter().flat_map(|_| [fresh.clone(), Value::Int(0)]);
    let replies: Vec<_> = [texts(&["h", "8"])].into_iter().chain(hashes).collect();
    answer(&mut inspection, &stub, &replies);
    // The job at both ends is known by now.
    assert!(asked(&inspection).is_empty());
    let (signals, remembered) = inspection.end();
    assert_eq!(
        (signals.oldest_waiting, remembered.waiting.len()),
        (since(9), 8)
    );
}

#[test]
fn without_events_only_a_job_that_never_ran_has_an_age() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents {
        ready: HashMap::from([(&b"1"[..], ago(5))]),
        unfollowed: true,
        ..StubEvents::default()
    };
    let waiting = levels(&[(State::Waiting, 2)]);
    let first = [texts(&["1", "0:0"]), NONE, FREE];
    for (hash, parent, expected) in [
        (hash(&[Some(ago(9)), None, None, None, None]), 0, since(9)),
        (hash(&[Some(ago(9)), None, None, None, Some(1)]), 0, None),
        (hash(&[Some(ago(9)), None, None, None, None]), 1, None),
        (
            hash(&[None, None, None, None, None]),
            0,
            Some(Since::Nothing),
        ),
        (NIL, 0, None),
    ] {
        let mut inspection = anew(&key, waiting);
        answer(&mut inspection, &stub, &first);
        answer(&mut inspection, &stub, &[hash, Value::Int(parent)]);
        let (signals, remembered) = inspection.end();
        assert_eq!(signals.oldest_waiting, expected);
        assert_eq!(remembered.waiting, []);
    }
}

#[test]
fn a_job_that_ends_meanwhile_is_not_without_a_lock() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    let mut inspection = anew(&key, levels(&[(State::Active, 3)]));
    answer(&mut inspection, &stub, &[texts(&["3", "2", "1"]), NONE]);
    let locks = [0, 0, 1].map(Value::Int);
    let started = bulk(&ago(4).to_string());
    let replies = [&locks[..], &[started, texts(&["4", "3", "1"])]].concat();
    answer(&mut inspection, &stub, &replies);
    let (signals, _) = inspection.end();
    assert_eq!(
        (signals.without_lock, signals.oldest_active),
        (Some(1), since(4))
    );
}

#[test]
fn overdue_is_counted_only_when_the_first_is() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    let first = |due: u64| texts(&["1", &(due * 4096 + 3).to_string()]);
    for (due, overdue) in [(NOW + 5, false), (ago(4), false), (ago(6), true)] {
        let mut inspection = anew(&key, levels(&[(State::Delayed, 3)]));
        answer(&mut inspection, &stub, &[first(due), NONE]);
        if overdue {
            let before = ago(5) * 4096;
            assert_eq!(
                asked(&inspection),
                [format!("ZCOUNT bull:q:delayed -inf ({before}")]
            );
            answer(&mut inspection, &stub, &[Value::Int(2)]);
        }
        assert!(asked(&inspection).is_empty());
        let (signals, _) = inspection.end();
        assert_eq!(signals.overdue, Some(if overdue { 2 } else { 0 }));
    }
}

#[test]
fn the_latest_scheduler_that_has_not_ended() {
    let key = QueueKey::new("bull", "q");
    let stub = StubEvents::default();
    let [first, second, third, fourth] = [50, 40, 30, 20].map(|seconds| ago(seconds).to_string());
    let mut inspection = anew(&key, levels(&[]));
    answer(&mut inspection, &stub, &[Value::Int(5)]);
    let expected = [format!(
        "ZRANGEBYSCORE bull:q:repeat -inf {NOW} WITHSCORES LIMIT 0 100"
    )];
    assert_eq!(asked(&inspection), expected);
    let all = texts(&["a", &first, "b", &second, "c", &third, "d", &fourth]);
    answer(&mut inspection, &stub, &[all]);
    assert_eq!(
        asked(&inspection)[0],
        "HMGET bull:q:repeat:a limit ic endDate"
    );
    assert_eq!(
        asked(&inspection)[1],
        format!("HMGET bull:q:repeat:a:{first} timestamp processedOn")
    );
    let (no_hash, ran) = (hash(&[None, None]), hash(&[Some(1), Some(2)]));
    let replies = [
        // Two of two runs done; end date passed with the last job retained; last run still pending.
        hash(&[Some(2), Some(2), None]),
        no_hash.clone(),
        hash(&[None, Some(9), Some(ago(45))]),
        ran,
        hash(&[Some(2), Some(2), None]),
        hash(&[Some(1), None]),
        hash(&[None, Some(1), None]),
        no_hash,
    ];
    answer(&mut inspection, &stub, &replies);
    let (signals, _) = inspection.end();
    assert_eq!(signals.scheduler_late, since(30));
    assert_eq!(signals.schedulers, Some(5));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(NIL),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Double),
        "[0-9]{0,20}(\\.[0-9]{1,3})?|[a-z:]{0,4}|inf|nan|-1e300".prop_map(|text| bulk(&text)),
    ];
    leaf.prop_recursive(2, 24, 8, |inner| {
        prop::collection::vec(inner, 0..8).prop_map(Value::Array)
    })
}

proptest! {
    /// For any replies: each inspection ends after a bounded number of commands, and then sends none.
    #[test]
    fn any_replies_end_the_look(
        counted in prop::array::uniform6(prop::option::of(0u64..3)),
        paused: Option<bool>,
        rate: Option<u64>,
        events: bool,
        now in prop_oneof![Just(None), Just(Some(NOW))],
        replies in prop::collection::vec(any_value(), 1..60),
        unfollowed: bool,
    ) {
        let key = QueueKey::new("bull", "q");
        let levels = Levels { states: counted, paused, rate, ..Levels::default() };
        let subject = Subject { key: &key, now, levels, events, remembered: Remembered::default() };
        let mut inspection = Inspection::new(subject, &mut 1);
        let stub = StubEvents { unfollowed, ..StubEvents::default() };
        let mut replies = replies.into_iter().cycle();
        let mut steps = 0;
        loop {
            let mut pipeline = redis::pipe();
            inspection.ask(&mut pipeline);
            if pipeline.is_empty() {
                break;
            }
            // Lists are no longer than requested, here at most 8.
            prop_assert!(pipeline.len() < 200, "{} commands", pipeline.len());
            let answers: Vec<_> = replies.by_ref().take(pipeline.len()).collect();
            inspection.take(&mut Replies::new(&answers), &stub);
            steps += 1;
            prop_assert!(steps < 40, "no end");
        }
        let (signals, remembered) = inspection.end();
        if let Some(Since::At(since)) = signals.oldest_waiting {
            prop_assert!(since <= NOW);
        }
        prop_assert!(remembered.waiting.len() < 400);
    }
}
