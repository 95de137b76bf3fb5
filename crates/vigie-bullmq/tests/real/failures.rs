//! Why jobs failed: the reasons of a real worker, with the place in its code.

use serde_json::{Value, json};
use vigie_bullmq::{Failures, Settings};
use vigie_testkit::{Redis, eventually};

use crate::signals::Driven;
use crate::support::{SOON, Watched, settings, watch};

/// Fails jobs of these names, data and options, and returns the failures once this number is known.
async fn failed(
    redis: &Redis,
    settings: Settings,
    jobs: &[(&str, Value, Value)],
    is_complete: impl Fn(&Failures) -> bool,
) -> (Failures, Watched) {
    let watched = watch(settings);
    watched.until_swept().await;
    let mut queue = Driven::start(redis, "work").await;
    watched.until_followed("work").await;
    queue.ask(json!({"cmd": "work", "as": "fail"})).await;
    for (name, data, opts) in jobs {
        let add = json!({"cmd": "add", "name": name, "data": data, "opts": opts});
        queue.ask(add).await;
    }
    let known = || {
        let found = watched.watcher.failures("work")?;
        assert_eq!((found.len(), &*found[0].prefix), (1, "bull"));
        found[0].failures.clone()
    };
    eventually(SOON, async || match known() {
        Some(failures) if is_complete(&failures) => Ok(()),
        failures => Err(format!("{failures:?}")),
    })
    .await;
    (known().unwrap(), watched)
}

fn total(failures: &Failures) -> u64 {
    failures.reasons.iter().map(|reason| reason.count).sum()
}

#[tokio::test]
async fn failures_are_counted_by_name_and_reason_and_redacted() {
    let redis = Redis::start().await.unwrap();
    let reason = |text: &str| json!({"reason": text});
    let jobs = [
        (
            "welcome",
            reason("no mailbox ada@example.org (user 4711)"),
            json!({}),
        ),
        (
            "welcome",
            reason("no mailbox bob@example.org (user 4712)"),
            json!({}),
        ),
        ("digest", reason("\u{1b}[31mtwo\nlines\u{202e}"), json!({})),
        ("digest", reason(&"long ".repeat(100_000)), json!({})),
        ("gone", reason("not kept"), json!({"removeOnFail": true})),
    ];
    let has_all = |failures: &Failures| {
        let frames = failures.reasons.iter().filter(|one| one.frame.is_some());
        total(failures) == 5 && frames.count() == 2
    };
    let (failures, watched) = failed(&redis, settings(&redis.url()), &jobs, has_all).await;
    let of = |name: &str, text: &str| {
        let mut reasons = failures.reasons.iter();
        let found = reasons.find(|one| one.name == name && one.reason.starts_with(text));
        found.unwrap_or_else(|| panic!("{failures:#?}")).clone()
    };
    let welcome = of("welcome", "no mailbox");
    assert_eq!(welcome.reason, "no mailbox <email> (user <number>)");
    assert_eq!(welcome.count, 2);
    assert!(welcome.first <= welcome.last);
    let frame = welcome.frame.unwrap();
    assert!(frame.contains("testing/queue.js:"), "{frame}");
    assert_eq!(of("digest", "two").reason, "two lines");
    let long = of("digest", "long ");
    assert!(
        long.reason.len() <= 300 && long.reason.ends_with('…'),
        "{long:?}"
    );
    // Its stack trace repeats the reason, and is too large to be read.
    assert_eq!(long.frame, None);
    assert_eq!(of("gone", "not kept").frame, None);
    assert_eq!(failures.forgotten, 0);
    assert!(watched.watcher.failures("unknown").is_none());
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
}

#[tokio::test]
async fn redaction_can_be_turned_off() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.redact = false;
    let text = "no mailbox ada@example.org (user 4711) at redis://u:hunter2@cache";
    let jobs = [("welcome", json!({"reason": text}), json!({}))];
    let (failures, _) = failed(&redis, settings, &jobs, |failures| total(failures) == 1).await;
    // Credentials in addresses are never shown.
    let shown = "no mailbox ada@example.org (user 4711) at redis://***@cache";
    assert_eq!(failures.reasons[0].reason, shown);
}

/// The reasons come from events; only the stack lines depend on the two commands.
#[tokio::test]
async fn without_a_command_only_the_stack_lines_are_absent() {
    for denied in ["hstrlen", "hget"] {
        let redis = Redis::start().await.unwrap();
        let denied = format!("-{denied}");
        let rights = [
            "ACL", "SETUSER", "vigie", "on", ">pass", "~*", "+@all", &denied,
        ];
        redis.cli(&rights).await.unwrap();
        let settings = settings(&format!("redis://vigie:pass@127.0.0.1:{}", redis.port()));
        let jobs = [
            ("welcome", json!({"reason": "one"}), json!({})),
            ("welcome", json!({"reason": "two"}), json!({})),
        ];
        let (failures, watched) = failed(&redis, settings, &jobs, |all| total(all) == 2).await;
        assert_eq!(failures.reasons.len(), 2);
        assert!(failures.reasons.iter().all(|one| one.frame.is_none()));
        watched.until_jobs("work", "failed", Some(2.0)).await;
        let finished = [("name", "welcome"), ("outcome", "failed")];
        assert_eq!(watched.sum("bullmq_jobs_finished_total", &finished), 2.0);
        let status = watched.watcher.status();
        assert_eq!((status.error, status.events_error), (None, None));
    }
}

/// A queue of Bull has no events.
#[tokio::test]
async fn without_events_the_reasons_are_unknown() {
    let redis = Redis::start().await.unwrap();
    redis.cli(&["SET", "bull:old:id", "7"]).await.unwrap();
    redis.cli(&["RPUSH", "bull:old:wait", "7"]).await.unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_jobs("old", "waiting", Some(1.0)).await;
    let found = watched.watcher.failures("old").unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].failures.is_none());
}
