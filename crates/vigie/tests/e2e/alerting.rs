//! Real Prometheus and Alertmanager beside the stage: what `/metrics` says becomes a call that somebody gets, and the
//! call is taken back when the cause is gone.
//!
//! `rules/essential.yml` is loaded as it is, with its windows and its `for`; only the pace is quick (scraped and
//! evaluated every second). Nothing is made up on the way: each cause is something that happens to backends, each alert has
//! to arrive firing at a webhook, and after the cause has ended it has to arrive resolved.
//!
//! | alert | the cause | over when |
//! | --- | --- | --- |
//! | `SlowTick` | somebody locks the table that the tick needs | the quick ticks after it are 95 % of 10 minutes' |
//! | `ApiLatency` | more players ask for a slow report than there are database connections | quick answers are 95 % of 5 minutes' |
//! | `QueueWaiting` | 501 jobs in a queue without a worker, for a minute | the queue is emptied |
//! | `SocketsNone` | the only client leaves, for a minute | clients come |
//! | `QueueFailing` | a kind of job that always fails | 5 minutes have passed |
//! | `HttpErrors`, both levels | a route that always fails | 5 minutes have passed |
//! | `SocketsLeak` | 5001 clients that come and are not heard of again, for two minutes | a hundred of them are gone |
//!
//! The causes come one after the other while the minutes of the levels run; then everything is left alone for the
//! five minutes after which the windows hold nothing of it. Meanwhile the other proofs have their turn.

mod causes;
mod panels;
mod watch;

use std::time::Duration;

use vigie_testkit::Script;

use crate::common::Stage;
use causes::{Flood, Request, ask, fail};
use watch::{Called, Watch};

/// Until an alert arrives, besides the time that its rule takes by itself.
const ARRIVES: Duration = Duration::from_secs(60);
/// What the rules take by themselves: windows, and `for`.
const MINUTE: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(5 * 60);
const TICK_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Longer than a tick should take (2 s), and shorter than a statement of the backend may take (5 s).
const LOCKED: &str = "LOCK TABLE resources IN EXCLUSIVE MODE; SELECT pg_sleep(4)";
/// 0.3 to 0.8 s on one of the backend's 10 database connections, and before that a wait for it.
const SLOW: Request = Request {
    line: "GET /reports/season",
    answered: 200,
    at_once: 20,
};
const QUICK: Request = Request {
    line: "GET /",
    answered: 200,
    at_once: 8,
};
const FAILS: Request = Request {
    line: "POST /market/wood/crash",
    answered: 500,
    at_once: 16,
};
/// One over the line.
const CROWD: u64 = 5_001;
/// So many of them say good-bye in the end.
const LEAVE: u64 = 100;

const SLOW_TICK: Called = ("SlowTick", "warning", None);
const LATENCY: Called = ("ApiLatency", "warning", None);
const WAITING: Called = ("QueueWaiting", "warning", Some("deserted"));
const FAILING: Called = ("QueueFailing", "warning", Some("doomed"));
const ERRORS: Called = ("HttpErrors", "warning", None);
const MANY_ERRORS: Called = ("HttpErrors", "critical", None);
const NO_SOCKETS: Called = ("SocketsNone", "critical", None);
const LEAK: Called = ("SocketsLeak", "warning", None);
const ALL: [Called; 8] = [
    SLOW_TICK,
    LATENCY,
    WAITING,
    FAILING,
    ERRORS,
    MANY_ERRORS,
    NO_SOCKETS,
    LEAK,
];

#[tokio::test]
async fn every_alert_arrives_when_its_cause_is_there_and_is_taken_back_when_it_is_gone() {
    let mut stage = Stage::set_with(&[
        // A session of which nothing is heard lives as long as the test.
        ("SOCKET_PING_INTERVAL", "3600000"),
        ("SOCKET_CONNECT_TIMEOUT", "3600000"),
    ])
    .await;
    let target = format!("http://{}", stage.vigie.gateway);
    let mut crowd = Script::new("testing/crowd.js")
        .args(["--target", &target])
        .spawn()
        .unwrap();
    assert_eq!(ask(&mut crowd, "open", 1).await, 1);
    // Known before the first job fails, so that all failures are an increase.
    stage.fill("doomed", &[]).await;
    let watch = Watch::start(&stage).await;
    watch.until_quiet().await;

    // The minutes of these two run while the others have their time.
    stage.fill("deserted", &["--waiting", "501"]).await;
    assert_eq!(ask(&mut crowd, "close", 1).await, 0);

    let lock = async || drop(stage.postgres.run_sql(LOCKED).await.unwrap());
    watch.fires_while(SLOW_TICK, ARRIVES, lock).await;

    let slow = Flood::start(&stage, SLOW);
    watch.fires(LATENCY, ARRIVES).await;
    slow.end().await;
    let quick = Flood::start(&stage, QUICK);
    watch.resolves(LATENCY, ARRIVES).await;
    quick.end().await;

    fail(&stage, "doomed", 2_000).await;
    watch.fires(FAILING, ARRIVES).await;

    watch.fires(WAITING, MINUTE + ARRIVES).await;
    stage.fill("deserted", &["--clean"]).await;
    watch.resolves(WAITING, ARRIVES).await;

    watch.fires(NO_SOCKETS, MINUTE + ARRIVES).await;
    assert_eq!(ask(&mut crowd, "open", CROWD).await, CROWD);
    watch.resolves(NO_SOCKETS, ARRIVES).await;

    let failing = Flood::start(&stage, FAILS);
    watch.fires(ERRORS, ARRIVES).await;
    watch.fires(MANY_ERRORS, ARRIVES).await;
    failing.end().await;

    // From here on there is nothing but quick ticks.
    stage.give_up_turn();
    watch.fires(LEAK, 2 * MINUTE + ARRIVES).await;
    assert_eq!(ask(&mut crowd, "close", LEAVE).await, CROWD - LEAVE);
    watch.resolves(LEAK, ARRIVES).await;
    for over in [FAILING, MANY_ERRORS, ERRORS] {
        watch.resolves(over, WINDOW + ARRIVES).await;
    }
    watch.resolves(SLOW_TICK, TICK_WINDOW + ARRIVES).await;

    watch.until_quiet().await;
    watch.has_told_all_of(&ALL);
    stage.end().await;
}
