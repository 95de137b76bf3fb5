#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};
use vigie_bullmq::Levels;

use super::*;

fn queue(prefix: &str, name: &str, states: [Option<u64>; 6]) -> QueueStatus {
    QueueStatus {
        database: None,
        prefix: prefix.into(),
        name: name.into(),
        levels: Some(Levels {
            states,
            retained: [Some(0); 2],
            paused: Some(false),
            ..Levels::default()
        }),
        age: Some(Duration::ZERO),
        oldest_waiting: Some(Duration::from_millis(3_200)),
        workers: Some(2),
        error: None,
    }
}

/// The status of a queue on a node that cannot be read.
fn lost(name: &str) -> QueueStatus {
    QueueStatus {
        levels: None,
        oldest_waiting: None,
        workers: None,
        error: Some("h:2: broken".into()),
        ..queue("bull", name, [None; 6])
    }
}

fn status(queues: Vec<QueueStatus>) -> Status {
    Status {
        queues,
        last_levels: Some(tokio::time::Instant::now().into_std()),
        error: None,
        events_error: None,
    }
}

fn shown(status: &Status, only: Option<&str>) -> Value {
    serde_json::to_value(page(Some(status), only).unwrap()).unwrap()
}

fn refused(status: Option<&Status>, only: Option<&str>) -> (u16, String) {
    let (code, error) = page(status, only).unwrap_err();
    (code.as_u16(), error)
}

const SOME: [Option<u64>; 6] = [Some(12), Some(3), Some(4), Some(5), Some(0), Some(6)];

#[test]
fn one_queue() {
    let figures = json!({
        "waiting": 12, "active": 3, "delayed": 4, "prioritized": 5, "waiting_children": 6, "paused_jobs": 0,
        "backlog": 20, "paused": false, "oldest_waiting_seconds": 3.2, "workers": 2,
    });
    let mut mail = figures.clone();
    mail["prefixes"] = json!({ "bull": figures });
    let shown = shown(&status(vec![queue("bull", "mail", SOME)]), None);
    assert_eq!(shown, json!({ "queues": { "mail": mail } }));
}

#[test]
fn queues_of_a_name_are_summed_and_the_unknown_stays_unknown() {
    let mut other = queue("shop:eu", "mail", [Some(1); 6]);
    other.oldest_waiting = Some(Duration::from_secs(60));
    other.levels.as_mut().unwrap().paused = Some(true);
    other.workers = None;
    let status = status(vec![queue("bull", "mail", SOME), other]);
    let mail = &shown(&status, Some("mail"))["queues"]["mail"];
    assert_eq!(mail["waiting"], 13);
    assert_eq!(mail["backlog"], 23);
    assert_eq!(mail["oldest_waiting_seconds"], 60.0);
    assert_eq!(mail["paused"], false, "jobs of the first are still taken");
    assert_eq!(mail["workers"], Value::Null);
    assert_eq!(mail["prefixes"]["bull"]["workers"], 2);
    assert_eq!(mail["prefixes"]["shop:eu"]["waiting"], 1);
}

#[test]
fn uncounted_values_are_null() {
    let mut fresh = queue("bull", "mail", SOME);
    (fresh.levels, fresh.oldest_waiting, fresh.workers) = (None, None, None);
    let shown = shown(&status(vec![fresh]), None);
    let mail = shown["queues"]["mail"].as_object().unwrap();
    let known = mail.iter().filter(|(_, value)| !value.is_null());
    assert_eq!(
        known.map(|(name, _)| name).collect::<Vec<_>>(),
        ["prefixes"]
    );
}

#[test]
fn without_any_known_value_it_is_not_200() {
    let not_watched = "no queue is watched: [redis] is not configured";
    assert_eq!(refused(None, None), (503, not_watched.into()));
    let mut none = status(vec![]);
    assert_eq!(shown(&none, None), json!({ "queues": {} }));
    let no_such = "no queue has this name";
    assert_eq!(refused(Some(&none), Some("mail")), (404, no_such.into()));
    none.last_levels = None;
    let not_yet = "no queue has been counted yet";
    assert_eq!(refused(Some(&none), None), (503, not_yet.into()));
    none.error = Some("cannot connect".into());
    let down = "Redis cannot be read: cannot connect";
    assert_eq!(refused(Some(&none), Some("mail")), (503, down.into()));
}

/// Resolves a path by the rules that GJSON documents (SYNTAX.md): dots separate the parts, a backslash removes the
/// special meaning of the next character, `*` matches any text and `?` any character; of several matching keys the
/// first is taken.
fn follow<'a>(mut value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut parts = vec![Vec::new()];
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => parts.push(Vec::new()),
            '\\' => parts.last_mut()?.push((letters.next()?, true)),
            // Queries, modifiers, pipes, array lengths and literals do not resolve to the key as it is written.
            '#' | '@' | '|' | '!' => return None,
            _ => parts.last_mut()?.push((letter, false)),
        }
    }
    for part in parts {
        let mut keys = value.as_object()?.iter();
        value = keys
            .find(|(key, _)| fits(&part, &key.chars().collect::<Vec<_>>()))?
            .1;
    }
    Some(value)
}

fn fits(part: &[(char, bool)], key: &[char]) -> bool {
    match (part, key) {
        ([], []) => true,
        ([('*', false), rest @ ..], _) => (0..=key.len()).any(|at| fits(rest, &key[at..])),
        ([('?', false), rest @ ..], [_, key @ ..]) => fits(rest, key),
        ([(letter, _), rest @ ..], [first, key @ ..]) => letter == first && fits(rest, key),
        _ => false,
    }
}

#[test]
fn a_scaler_finds_queues_with_special_names_by_path() {
    let names = [
        "mail",
        "mail.eu",
        "a*b?",
        "42",
        "süß",
        "x|y#z@!",
        r"back\slash",
    ];
    let queues = names.iter().zip(1..).map(|(name, nth)| {
        let mut states = SOME;
        states[0] = Some(nth);
        queue("bull", name, states)
    });
    let status = status(queues.collect());
    let shown = shown(&status, None);
    let paths = [
        "queues.mail.waiting",
        r"queues.mail\.eu.waiting",
        r"queues.a\*b\?.waiting",
        "queues.42.waiting",
        "queues.süß.waiting",
        r"queues.x\|y\#z\@\!.waiting",
        r"queues.back\\slash.waiting",
    ];
    for ((path, name), nth) in paths.iter().zip(names).zip(1..) {
        assert_eq!(follow(&shown, path), Some(&json!(nth)), "{path}");
        // With a single queue, a wildcard resolves to it without its name.
        let alone = serde_json::to_value(page(Some(&status), Some(name)).unwrap()).unwrap();
        assert_eq!(follow(&alone, "queues.*.waiting"), Some(&json!(nth)));
    }
    assert_eq!(follow(&shown, "queues.mail.eu.waiting"), None);
}

#[test]
fn a_node_that_fails_is_about_its_queues() {
    let mut status = status(vec![queue("bull", "mail", SOME), lost("sms")]);
    status.error = Some("h:2: broken".into());
    let all = shown(&status, None);
    assert_eq!(all["queues"]["mail"]["waiting"], 12);
    assert_eq!(all["queues"]["sms"]["waiting"], Value::Null);
    assert_eq!(shown(&status, Some("mail"))["queues"]["mail"]["active"], 3);
    let broken = (503, "Redis cannot be read: h:2: broken".to_owned());
    assert_eq!(refused(Some(&status), Some("sms")), broken);
    // The queue may exist on the node that cannot be read.
    assert_eq!(refused(Some(&status), Some("other")), broken);
}

#[test]
fn databases_are_summed() {
    let mut other = queue("bull", "mail", [Some(1); 6]);
    other.database = Some(3);
    let page = shown(&status(vec![queue("bull", "mail", SOME), other]), None);
    let mail = &page["queues"]["mail"];
    assert_eq!(
        (&mail["waiting"], &mail["prefixes"]["bull"]["waiting"]),
        (&json!(13), &json!(13))
    );
}
