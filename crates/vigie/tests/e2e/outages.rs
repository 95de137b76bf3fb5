//! Redis and PostgreSQL are killed, frozen, emptied and refuse logins; Vigie reports it in time, keeps answering and
//! counting, and recovers without a restart, while the gateway loses no request.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use vigie_testkit::postgres::PASSWORD;
use vigie_testkit::{Redis, SOON, eventually};

use crate::common::{Stage, Vigie};
use crate::jobs;
use crate::players::Players;
use crate::vigil::Vigil;

/// The time until everything has recovered, including the app's own reconnect delays.
const RECOVERY: Duration = SOON;
/// The part of an error that says that a check passed its deadline.
const LATE: &str = "no answer";
/// How long an outage lasts once it was noticed.
const DOWN: Duration = Duration::from_secs(1);

const LEVELS: [&str; 6] = [
    "waiting",
    "active",
    "delayed",
    "prioritized",
    "paused",
    "waiting-children",
];
/// The queue whose jobs are all counted: this many ran, a tenth of which failed.
const QUEUE: &str = "known";
const JOBS: u32 = 100;

#[tokio::test]
async fn redis_killed_frozen_and_back_without_its_data() {
    let mut stage = Stage::set().await;
    let vigil = Vigil::keep(stage.vigie.admin);
    jobs::run(&stage.redis, QUEUE, JOBS).await;
    counted(&stage.vigie, 1).await;
    let players = Players::start(stage.vigie.gateway, 2);

    stage.redis.kill9();
    redis_is_out(&stage.vigie, 1).await;
    stage.redis.restart().await.unwrap();
    redis_is_back(&mut stage.vigie).await;

    stage.redis.freeze();
    redis_is_out(&stage.vigie, 1).await;
    stage.redis.thaw();
    redis_is_back(&mut stage.vigie).await;

    // Nothing is counted twice, and new jobs are counted.
    jobs::run(&stage.redis, QUEUE, JOBS).await;
    counted(&stage.vigie, 2).await;

    let data = data_directory(&stage.redis).await;
    stage.redis.kill9();
    redis_is_out(&stage.vigie, 2).await;
    std::fs::remove_dir_all(data).unwrap();
    stage.redis.restart().await.unwrap();
    redis_is_back(&mut stage.vigie).await;
    jobs::run(&stage.redis, QUEUE, JOBS).await;
    counted(&stage.vigie, 3).await;

    no_request_is_lost(&stage.vigie, players).await;
    vigil.end();
    stage.end().await;
}

#[tokio::test]
async fn postgres_killed_frozen_and_with_another_password() {
    let mut stage = Stage::set().await;
    let vigil = Vigil::keep(stage.vigie.admin);
    let players = Players::start(stage.vigie.gateway, 2);

    stage.postgres.kill9();
    database_is_out(&stage.vigie, "connection refused").await;
    stage.postgres.restart().await.unwrap();
    database_is_back(&mut stage.vigie).await;

    stage.postgres.freeze();
    database_is_out(&stage.vigie, "no answer").await;
    stage.postgres.thaw();
    database_is_back(&mut stage.vigie).await;

    let change = |word: &str| format!("ALTER ROLE vigie PASSWORD '{word}'");
    stage
        .postgres
        .run_sql(&change("another-password"))
        .await
        .unwrap();
    let terminate =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'vigie'";
    stage.postgres.run_sql(terminate).await.unwrap();
    database_is_out(&stage.vigie, "password authentication failed").await;
    stage.postgres.run_sql(&change(PASSWORD)).await.unwrap();
    database_is_back(&mut stage.vigie).await;

    no_request_is_lost(&stage.vigie, players).await;
    vigil.end();
    stage.end().await;
}

#[tokio::test]
async fn both_down_and_no_request_lost() {
    let mut stage = Stage::set().await;
    let vigil = Vigil::keep(stage.vigie.admin);
    let players = Players::start(stage.vigie.gateway, 4);

    stage.redis.kill9();
    stage.postgres.kill9();
    unready(&stage.vigie, &["redis", "database"], &["app"]).await;
    sleep(2 * DOWN).await;
    stage.redis.restart().await.unwrap();
    stage.postgres.restart().await.unwrap();
    redis_is_back(&mut stage.vigie).await;
    database_is_back(&mut stage.vigie).await;

    stage.redis.freeze();
    stage.postgres.freeze();
    unready(&stage.vigie, &["redis", "database"], &["app"]).await;
    sleep(2 * DOWN).await;
    stage.redis.thaw();
    stage.postgres.thaw();
    redis_is_back(&mut stage.vigie).await;
    database_is_back(&mut stage.vigie).await;

    no_request_is_lost(&stage.vigie, players).await;
    vigil.end();
    stage.end().await;
}

/// Must be called right after the outage starts; `runs`: how often the jobs ran.
async fn redis_is_out(vigie: &Vigie, runs: u32) {
    unready(vigie, &["redis"], &["database", "app"]).await;
    // Gauges of Redis are unknown, counters remain.
    eventually(RECOVERY, async || {
        let scrape = vigie.scrape().await;
        let levels = scrape.samples("queue_jobs_total", &[]).filter(|sample| {
            let state = sample.label("state").unwrap();
            LEVELS.contains(&state)
        });
        let levels = levels.count();
        let up = ["redis", "events"]
            .map(|source| scrape.value("vigie_source_up", &[("source", source)]));
        let out = levels == 0 && up == [Some(0.0); 2];
        out.then_some(())
            .ok_or(format!("{levels} levels, up {up:?}"))
    })
    .await;
    // Both checks report the same reason.
    eventually(RECOVERY, async || {
        let reason = async |check: &str| {
            let page = vigie.get(&format!("/readyz/{check}")).await.text();
            let page: Value = serde_json::from_str(&page).unwrap();
            page["error"].as_str().unwrap_or_default().to_owned()
        };
        let (redis, queues) = (reason("redis").await, reason("queues").await);
        let agree = !redis.is_empty() && queues.ends_with(&redis);
        agree.then_some(()).ok_or(format!("{redis:?}, {queues:?}"))
    })
    .await;
    counted(vigie, runs).await;
    sleep(DOWN).await;
    assert_eq!(vigie.get("/readyz").await.status, 503, "while it is down");
    let levels = vigie.scrape().await.samples("bullmq_jobs", &[]).count();
    assert_eq!(levels, 0, "of a Redis that is down");
}

async fn redis_is_back(vigie: &mut Vigie) {
    let before = ticks(vigie).await;
    vigie.until_ready().await;
    eventually(RECOVERY, async || {
        let scrape = vigie.scrape().await;
        let missing = LEVELS.iter().find(|state| {
            let labels = [("queue", "production"), ("state", **state)];
            scrape.value("queue_jobs_total", &labels).is_none()
        });
        let up = ["redis", "events"]
            .map(|source| scrape.value("vigie_source_up", &[("source", source)]));
        match (missing, up) {
            (None, [Some(1.0), Some(1.0)]) => Ok(()),
            what => Err(format!("{what:?}")),
        }
    })
    .await;
    // The traffic continues, and is counted.
    eventually(RECOVERY, async || {
        let now = ticks(vigie).await;
        if now > before {
            Ok(())
        } else {
            Err(format!("no tick after {before}"))
        }
    })
    .await;
}

/// Must be called right after the outage starts.
async fn database_is_out(vigie: &Vigie, why: &str) {
    // On a busy machine a login can pass its deadline before it is refused.
    eventually(RECOVERY, async || {
        let body = unready(vigie, &["database"], &["redis", "queues", "app"]).await;
        let error = body["checks"]["database"]["error"].as_str().unwrap();
        let is_late = error.contains(LATE);
        assert!(
            is_late || error.contains(why),
            "{error:?} instead of {why:?}"
        );
        error.contains(why).then_some(()).ok_or(error.to_owned())
    })
    .await;
    let scrape = vigie.scrape().await;
    assert_eq!(
        scrape.value("vigie_source_up", &[("source", "database")]),
        Some(0.0)
    );
    assert_eq!(
        scrape.value("vigie_source_up", &[("source", "redis")]),
        Some(1.0)
    );
    let labels = [("queue", "production"), ("state", "waiting")];
    assert!(
        scrape.value("queue_jobs_total", &labels).is_some(),
        "Redis is not down"
    );
    sleep(DOWN).await;
    assert_eq!(vigie.get("/readyz").await.status, 503, "while it is down");
}

async fn database_is_back(vigie: &mut Vigie) {
    vigie.until_ready().await;
    let before = ticks(vigie).await;
    eventually(RECOVERY, async || {
        let up = vigie
            .scrape()
            .await
            .value("vigie_source_up", &[("source", "database")]);
        let now = ticks(vigie).await;
        let well = up == Some(1.0) && now > before;
        well.then_some(())
            .ok_or(format!("database {up:?}, {now} ticks after {before}"))
    })
    .await;
}

/// Waits until `/readyz` is 503 and names exactly the failed checks, and since when. Unit tests of the checks assert
/// on a virtual clock that one period and one timeout are sufficient.
pub(crate) async fn unready(vigie: &Vigie, failed: &[&str], well: &[&str]) -> Value {
    let body = eventually(RECOVERY, async || {
        let answer = vigie.get("/readyz").await;
        let body = answer.json().unwrap();
        let is_named = |name: &&str| body["checks"][name]["status"] == "failed";
        let is_unready = answer.status == 503 && failed.iter().all(is_named);
        is_unready
            .then(|| body.clone())
            .ok_or(format!("{}: {body}", answer.status))
    })
    .await;
    for name in failed {
        let check = &body["checks"][name];
        assert!(
            check["since"].is_string() && check["error"].is_string(),
            "{body}"
        );
        assert_eq!(vigie.get(&format!("/readyz/{name}")).await.status, 503);
    }
    for name in well {
        assert_eq!(body["checks"][name]["status"], "ok", "{body}");
    }
    assert_eq!(body["status"], "failed", "{body}");
    assert_eq!(
        vigie.get("/healthz").await.status,
        200,
        "Vigie itself lives"
    );
    body
}

/// Waits until the jobs are counted exactly, after this number of runs.
async fn counted(vigie: &Vigie, runs: u32) {
    let expected = [runs * (JOBS - JOBS / 10), runs * JOBS / 10];
    eventually(RECOVERY, async || {
        let scrape = vigie.scrape().await;
        let count = |state| scrape.value("queue_jobs_total", &[("queue", QUEUE), ("state", state)]);
        let counts = ["completed", "failed"].map(count);
        let right = counts == expected.map(|count| Some(f64::from(count)));
        right
            .then_some(())
            .ok_or(format!("{counts:?} instead of {expected:?}"))
    })
    .await;
}

async fn ticks(vigie: &Vigie) -> f64 {
    vigie
        .scrape()
        .await
        .sum("production_tick_duration_seconds_count", &[])
}

async fn no_request_is_lost(vigie: &Vigie, players: Players) {
    let tally = players.end();
    assert_eq!(tally.lost, Vec::<String>::new(), "{tally:?}");
    let answered: u64 = tally.answered.values().sum();
    assert_eq!(answered, tally.sent);
    let unable = tally.answered.get(&503).copied().unwrap_or_default();
    assert!(
        unable > 0 && tally.answered[&200] > 0,
        "nothing was down: {tally:?}"
    );
    let scrape = vigie.scrape().await;
    assert_eq!(scrape.sum("vigie_gateway_errors_total", &[]), 0.0);
    let counted = scrape.sum("http_request_duration_seconds_count", &[]);
    assert_eq!(counted, tally.sent as f64, "{tally:?}");
    let errors = scrape.sum("http_requests_errors_total", &[]);
    let failed: u64 = tally.answered.range(500..).map(|(_, count)| count).sum();
    assert_eq!(errors, failed as f64, "{tally:?}");
}

async fn data_directory(redis: &Redis) -> String {
    let answer = redis.cli(&["CONFIG", "GET", "dir"]).await.unwrap();
    format!("{}/appendonlydir", answer.lines().nth(1).unwrap())
}
