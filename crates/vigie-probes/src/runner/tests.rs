#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicUsize;

use jiff::Timestamp;
use tokio::time::{advance, sleep};
use vigie_metrics::Format;

use super::*;
use crate::check::BoxFuture;
use crate::failure::{Failure, FailureKind};
use crate::report::Readiness;
use crate::state::Verdict;

/// The outcome of a scripted check's next run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Pass,
    Fail,
    Hang,
    Panic,
}

/// A check whose behaviour is set by the test.
#[derive(Clone)]
struct Scripted {
    act: Arc<Mutex<Act>>,
    runs: Arc<Mutex<Vec<Instant>>>,
    under_way: Arc<AtomicUsize>,
}

impl Scripted {
    fn new(act: Act) -> Self {
        Self {
            act: Arc::new(Mutex::new(act)),
            runs: Arc::default(),
            under_way: Arc::default(),
        }
    }

    fn set(&self, act: Act) {
        *self.act.lock() = act;
    }
}

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Check for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn target(&self) -> String {
        "script".into()
    }

    fn run(&mut self, _: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let others = self.under_way.fetch_add(1, Ordering::SeqCst);
            assert_eq!(others, 0, "two runs at once");
            let _guard = UnderWay(Arc::clone(&self.under_way));
            self.runs.lock().push(Instant::now());
            sleep(Duration::from_millis(10)).await;
            let act = *self.act.lock();
            match act {
                Act::Pass => Ok(()),
                Act::Fail => Err(Failure::new(FailureKind::Broken, "broke off")),
                Act::Hang => std::future::pending().await,
                Act::Panic => panic!("as scripted"),
            }
        })
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings {
        period: 5 * SECOND,
        timeout: 2 * SECOND,
        required: true,
        source: Some("database"),
    }
}

/// Tokio's clock, which the test pauses and advances.
fn clock() -> Clock {
    let started = Instant::now();
    Clock::new(move || {
        let elapsed = started.elapsed();
        Moment {
            elapsed,
            wall: Timestamp::constant(1_767_268_800, 0) + elapsed,
        }
    })
}

fn start(check: &Scripted) -> (Checks, Registry, CancellationToken) {
    let registry = Registry::new();
    let checks = Checks::builder(clock())
        .check(check.clone(), settings())
        .build(&registry);
    let stop = CancellationToken::new();
    let (running, token) = (checks.clone(), stop.clone());
    tokio::spawn(async move { running.run(token).await });
    (checks, registry, stop)
}

fn verdict(checks: &Checks) -> Verdict {
    checks.report(checks.now()).entries[0].verdict.clone()
}

/// Advances time in small steps, so that all due events happen in order.
async fn pass(duration: Duration) {
    for _ in 0..duration.as_millis() / 50 {
        advance(Duration::from_millis(50)).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_within_a_period_and_a_timeout_and_recovers() {
    let check = Scripted::new(Act::Pass);
    let (checks, registry, stop) = start(&check);
    assert_eq!(verdict(&checks).status, Status::Pending);
    assert!(
        !registry.expose(Format::Text).contains("vigie_check_up{"),
        "an unknown state has no series"
    );
    pass(SECOND).await;
    assert_eq!(verdict(&checks).status, Status::Ok);
    let page = registry.expose(Format::Text);
    for line in [
        r#"vigie_check_up{check="scripted"} 1"#,
        r#"vigie_source_up{source="database"} 1"#,
        r#"vigie_check_duration_seconds{check="scripted"} 0.0"#,
        r#"vigie_check_last_success_timestamp_seconds{check="scripted"} 176726880"#,
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }

    check.set(Act::Hang);
    let down = checks.now();
    pass(7 * SECOND + Duration::from_millis(100)).await;
    let failed = verdict(&checks);
    assert_eq!(failed.status, Status::Failed);
    assert!(failed.since.since(down) <= 7 * SECOND);
    assert_eq!(
        failed.failure.unwrap().text(),
        "script: no answer within 2s"
    );
    let page = registry.expose(Format::Text);
    assert!(
        page.contains(r#"vigie_check_up{check="scripted"} 0"#),
        "{page}"
    );
    assert!(
        page.contains(r#"vigie_source_up{source="database"} 0"#),
        "{page}"
    );

    check.set(Act::Fail);
    pass(5 * SECOND).await;
    let broke = verdict(&checks);
    assert_eq!(broke.since, failed.since, "it has not been well in between");
    assert_eq!(broke.failure.unwrap().text(), "broke off");

    check.set(Act::Pass);
    pass(5 * SECOND).await;
    assert_eq!(verdict(&checks).status, Status::Ok);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn runs_are_spaced_by_the_period_and_never_overlap() {
    let check = Scripted::new(Act::Pass);
    let (_checks, _registry, stop) = start(&check);
    pass(60 * SECOND).await;
    stop.cancel();
    pass(SECOND).await;
    let runs = check.runs.lock().clone();
    // 60 s in periods of 4.5 to 5 s, the first at once; `advance` adds up to 50 ms to each.
    assert!((12..=14).contains(&runs.len()), "{} runs", runs.len());
    for pair in runs.windows(2) {
        let pause = pair[1] - pair[0];
        assert!(pause >= Duration::from_millis(4_450), "{pause:?}");
        assert!(pause <= Duration::from_millis(5_050), "{pause:?}");
    }
    pass(20 * SECOND).await;
    assert_eq!(
        check.runs.lock().len(),
        runs.len(),
        "it runs on after the stop"
    );
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_goes_stale_and_fails() {
    let check = Scripted::new(Act::Pass);
    let (checks, registry, _stop) = start(&check);
    pass(SECOND).await;
    assert_eq!(verdict(&checks).status, Status::Ok);
    check.set(Act::Panic);
    pass(14 * SECOND).await;
    let failed = verdict(&checks);
    assert_eq!(failed.failure.unwrap().kind(), FailureKind::Stale);
    let page = registry.expose(Format::Text);
    assert!(
        page.contains(r#"vigie_check_up{check="scripted"} 0"#),
        "{page}"
    );
}

/// Parts that the test sets.
#[derive(Default)]
struct Queues(Mutex<Vec<(String, Verdict)>>);

impl CheckSource for Queues {
    fn name(&self) -> &str {
        "queues"
    }

    fn verdicts(&self, _: Moment) -> Vec<(String, Verdict)> {
        self.0.lock().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn groups_count_and_their_parts_come_and_go() {
    let queues = Arc::new(Queues::default());
    let registry = Registry::new();
    let checks = Checks::builder(clock())
        .source(queues.clone(), true, None)
        .unwatched("redis")
        .build(&registry);
    let stop = CancellationToken::new();
    let (running, token) = (checks.clone(), stop.clone());
    let ended = tokio::spawn(async move { running.run(token).await });

    let mut state = State::new(checks.now(), 60 * SECOND);
    state.record(checks.now(), SECOND, Ok(()));
    let well = state.verdict(checks.now());
    state.record(
        checks.now(),
        SECOND,
        Err(Failure::new(FailureKind::Other, "WRONGTYPE")),
    );
    let ill = state.verdict(checks.now());
    *queues.0.lock() = vec![("mail".into(), well), ("video".into(), ill)];
    pass(2 * SECOND).await;
    let report = checks.report(checks.now());
    assert_eq!(report.readiness(), Readiness::Failed);
    assert_eq!(report.unwatched, ["redis"]);
    let page = registry.expose(Format::Text);
    for line in [
        r#"vigie_check_up{check="queues"} 0"#,
        r#"vigie_check_up{check="queues/mail"} 1"#,
        r#"vigie_check_up{check="queues/video"} 0"#,
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }

    queues.0.lock().pop();
    pass(2 * SECOND).await;
    assert_eq!(checks.report(checks.now()).readiness(), Readiness::Ok);
    let page = registry.expose(Format::Text);
    assert!(
        page.contains(r#"vigie_check_up{check="queues"} 1"#),
        "{page}"
    );
    assert!(!page.contains("queues/video"), "{page}");

    checks.drain();
    assert_eq!(checks.report(checks.now()).readiness(), Readiness::Draining);
    stop.cancel();
    pass(SECOND).await;
    assert!(ended.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_group_and_its_server_report_one_cause_immediately() {
    let server = Scripted::new(Act::Pass);
    let queues = Arc::new(Queues::default());
    let checks = Checks::builder(clock())
        .check(server.clone(), settings())
        .source(queues.clone(), true, Some("scripted"))
        .build(&Registry::new());
    let stop = CancellationToken::new();
    let (running, token) = (checks.clone(), stop.clone());
    tokio::spawn(async move { running.run(token).await });
    pass(SECOND).await;
    let runs = || server.runs.lock().len();
    assert_eq!(runs(), 1);

    // The group fails first, so the check runs once before its period has elapsed.
    server.set(Act::Fail);
    let mut state = State::new(checks.now(), 60 * SECOND);
    let own = Failure::new(FailureKind::Unreachable, "cannot connect");
    state.record(checks.now(), SECOND, Err(own));
    let ill = state.verdict(checks.now());
    *queues.0.lock() = vec![("mail".into(), ill)];
    pass(2 * SECOND).await;
    assert_eq!(runs(), 2);
    let report = checks.report(checks.now());
    let text = |name| {
        report
            .find(name)
            .unwrap()
            .verdict
            .failure
            .unwrap()
            .to_string()
    };
    assert_eq!(text("scripted"), "broke off");
    assert_eq!(text("queues/mail"), "broke off");
    assert_eq!(text("queues"), "1 of 1 failed: mail: broke off");

    // A failure of the queue alone keeps its own reason.
    server.set(Act::Pass);
    pass(5 * SECOND).await;
    let report = checks.report(checks.now());
    let mail = report.find("queues/mail").unwrap().verdict.failure.unwrap();
    assert_eq!(mail.to_string(), "cannot connect");
    stop.cancel();
}

#[test]
fn jitter_only_shortens() {
    let period = 10 * SECOND;
    assert_eq!(jittered(period, 0), 9 * SECOND);
    assert!(jittered(period, u64::MAX) <= period);
    assert!(jittered(period, u64::MAX / 2) < jittered(period, u64::MAX));
}
