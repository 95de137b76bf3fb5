//! Causes lead to notifications, which are resolved when the cause ends, by Vigie itself and by a real Prometheus and
//! Alertmanager beside it, which scrape the same Vigie.
//!
//! Both load `rules/essential.yml` unchanged, with its windows and its `for`, and the same `alertmanager.yml` except for
//! the webhook. Vigie scrapes and evaluates every 15 s as always, Prometheus scrapes every 5 s and evaluates every second. Nothing is simulated: each cause is
//! a realistic failure of a backend, and each alert must reach both webhooks as firing, and as resolved after the cause has
//! ended. In the end the groups, labels, annotations and transitions of both are compared.
//!
//! | alert | cause | resolved when |
//! | --- | --- | --- |
//! | `SlowTick` | a lock on the table that the tick needs | 95 % of the ticks within 10 minutes are quick |
//! | `ApiLatency` | more concurrent slow requests than database connections | 95 % of the responses within 5 minutes
//! are quick |
//! | `QueueWaiting` | 501 jobs in a queue without a worker, for a minute | the queue is emptied |
//! | `SocketsNone` | the only client leaves, for a minute | clients connect |
//! | `QueueFailing` | a kind of job that always fails | 5 minutes have passed |
//! | `HttpErrors`, both levels | a route that always fails | 5 minutes have passed |
//! | `SocketsLeak` | 5001 clients that connect and go silent, for two minutes | a hundred of them disconnect |
//!
//! The causes follow one another while the `for` of the gauge alerts elapses; then the stage is idle for five minutes,
//! until the windows are empty. Other tests run in the meantime.
//!
//! The modules with `setup` are tests of the same program with simple rules and without a stage.

mod amtool;
mod causes;
mod commands;
mod forwarding;
mod heartbeat;
mod links;
mod panels;
mod reload;
mod setup;
mod watch;

use std::time::Duration;

use vigie_testkit::{SOON, Script};

use crate::common::Stage;
use causes::{Flood, Request, ask, fail};
use watch::{Called, Own, Watch};

/// The time for an alert to arrive, in addition to the time that its rule takes.
const ARRIVES: Duration = SOON;
/// The time that rules take: windows and `for`.
const MINUTE: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(5 * 60);
const TICK_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Longer than a tick should take (2 s), shorter than the statement timeout of the backend (5 s).
const LOCKED: &str = "LOCK TABLE resources IN EXCLUSIVE MODE; SELECT pg_sleep(4)";
/// 0.3 to 0.8 s on one of the backend's 10 database connections, after a wait for one.
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
/// One above the threshold.
const CROWD: u64 = 5_001;
/// The number of them that disconnect in the end.
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
async fn every_alert_fires_with_its_cause_and_resolves_without_it() {
    let own = Own::start().await;
    let environment = [
        // A silent session lives as long as the test.
        ("SOCKET_PING_INTERVAL", "3600000"),
        ("SOCKET_CONNECT_TIMEOUT", "3600000"),
    ];
    let mut stage = Stage::set_with_sections(&environment, &own.sections()).await;
    let target = format!("http://{}", stage.vigie.gateway);
    let mut crowd = Script::new("testing/crowd.js")
        .args(["--target", &target])
        .spawn()
        .unwrap();
    assert_eq!(ask(&mut crowd, "open", 1).await, 1);
    // Create the counter before the first failure, so that all failures are an increase.
    stage.fill("doomed", &[]).await;
    let watch = Watch::start(&stage, own).await;
    watch.until_quiet(&stage).await;

    // The `for` of these two elapses while the others are tested.
    stage.fill("deserted", &["--waiting", "501"]).await;
    assert_eq!(ask(&mut crowd, "close", 1).await, 0);

    let lock = async || drop(stage.postgres.run_sql(LOCKED).await.unwrap());
    watch.fires_while(SLOW_TICK, ARRIVES, lock).await;

    let slow = Flood::start(&stage, SLOW);
    watch.fires(LATENCY, ARRIVES).await;
    slow.end().await;
    let quick = Flood::start(&stage, QUICK);
    // A slow machine answers few quick requests; then the slow ones must leave the window.
    watch.resolves(LATENCY, WINDOW + ARRIVES).await;
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

    // From here on there are only quick ticks.
    stage.give_up_turn();
    watch.fires(LEAK, 2 * MINUTE + ARRIVES).await;
    assert_eq!(ask(&mut crowd, "close", LEAVE).await, CROWD - LEAVE);
    watch.resolves(LEAK, ARRIVES).await;
    for over in [FAILING, MANY_ERRORS, ERRORS] {
        watch.resolves(over, WINDOW + ARRIVES).await;
    }
    watch.resolves(SLOW_TICK, TICK_WINDOW + ARRIVES).await;

    watch.until_quiet(&stage).await;
    watch.has_notified_of_all(&ALL);
    watch.both_agree().await;
    stage.end().await;
}
