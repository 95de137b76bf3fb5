//! A blocked event loop of the app delays every pending request, which the histogram shows, and is told from a slow
//! dependency. The app itself cannot measure this: it starts timing after the wait.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use vigie_testkit::http::{self, Connection};
use vigie_testkit::promtext::Scrape;

use crate::common::{Stage, Vigie};
use crate::source::{Source, for_each_source};
use vigie_testkit::{SOON, eventually};

const BLOCKED: Duration = Duration::from_millis(400);
const BLOCKS: u32 = 3;
const CLIENTS: u32 = 6;
/// A bound of the histogram.
const SLOW: Duration = Duration::from_millis(250);
const SERIES: [(&str, &str); 3] = [("method", "GET"), ("route", "/"), ("code", "200")];
const PATIENCE: Duration = SOON;

for_each_source!(
    a_blocked_event_loop_shows_in_the_histogram,
    a_blocked_event_loop_is_told_from_a_slow_database,
);

async fn a_blocked_event_loop_shows_in_the_histogram(source: Source) {
    // No tick and no traffic: nothing else delays the app.
    let mut stage = Stage::set_with(&[("TICK_EVERY_MS", "3600000")]).await;
    let section = source.section(stage.app, "routes = [\"/\"]\n");
    let vigie = Vigie::start(&section).await;
    let entry = source.entry(&vigie, stage.app);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(ask(entry, Arc::clone(&stop))))
        .collect();
    for _ in 0..BLOCKS {
        sleep(Duration::from_millis(300)).await;
        let block = json!({"cmd": "block", "ms": BLOCKED.as_millis() as u64});
        stage.backend.ask(&block, PATIENCE).await.unwrap();
    }
    sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let mut waits = Vec::new();
    for client in clients {
        waits.extend(client.await.unwrap());
    }

    let value = |scrape: &Scrape, suffix: &str| {
        let name = format!("http_request_duration_seconds_{suffix}");
        scrape.value(&name, &SERIES).unwrap()
    };
    let count = waits.len() as f64;
    let scrape = eventually(SOON, async || {
        let scrape = vigie.scrape().await;
        let counted = value(&scrape, "count");
        (counted == count)
            .then_some(scrape)
            .ok_or(format!("{counted} of {count} requests"))
    })
    .await;
    let sum = value(&scrape, "sum");
    let slow = count - bucket(&scrape, "0.25");
    let felt = waits.iter().filter(|wait| **wait > SLOW).count() as f64;
    let felt_sum: f64 = waits.iter().map(Duration::as_secs_f64).sum();
    eprintln!(
        "{count} requests, {slow} over 0.25 s ({felt} felt so), {sum:.3} s in all ({felt_sum:.3} felt)"
    );
    // Each client had one open request whenever the loop was blocked.
    let blocked = f64::from(BLOCKS * CLIENTS);
    assert!(
        slow >= blocked,
        "{slow} slow requests, and {blocked} were held up"
    );
    assert!(
        slow <= felt,
        "{slow} slow requests, and clients felt {felt}"
    );
    let held_up = blocked * 0.9 * BLOCKED.as_secs_f64();
    assert!(
        sum >= held_up,
        "{sum} s in all, and {held_up} s were spent waiting"
    );
    assert!(
        sum <= felt_sum,
        "{sum} s in all, and clients felt {felt_sum} s"
    );
    vigie.stop().await;
    stage.end().await;
}

/// How long the event loop is blocked in one go.
const STALL: Duration = Duration::from_secs(2);
/// Requests while it is blocked, or while the database is slow, and the time between two of them.
const ARRIVALS: u32 = 40;
const APART: Duration = Duration::from_millis(60);
/// Attempts to block it while requests arrive: on a busy machine they may all be late.
const ATTEMPTS: u32 = 10;

async fn a_blocked_event_loop_is_told_from_a_slow_database(source: Source) {
    let quiet = [("TICK_EVERY_MS", "3600000")];
    let mut stage = Stage::set_for(source, &quiet, "").await;
    let entry = stage.entry();

    // Each query takes 0.3 s or longer, and the app has five connections to the database.
    arrive(entry, &["/reports/season"]).await;
    // The database answers no query, and then all at once; requests that do not need it are answered meanwhile.
    stage.postgres.freeze();
    let waiting = tokio::spawn(arrive(entry, &["/players/7", "/players/nobody"]));
    sleep(STALL).await;
    stage.postgres.thaw();
    waiting.await.unwrap();
    let seen = 2.0 * f64::from(ARRIVALS);
    eventually(SOON, async || {
        let counted = stage.vigie.scrape().await;
        let counted = counted.sum("http_request_duration_seconds_count", &[]);
        (counted == seen)
            .then_some(())
            .ok_or(format!("{counted} of {seen} requests"))
    })
    .await;
    assert_eq!(stalls(&stage.vigie).await, (0.0, 0.0));

    let block = json!({"cmd": "block", "ms": STALL.as_millis() as u64});
    for _ in 0..ATTEMPTS {
        let arriving = tokio::spawn(arrive(entry, &["/"]));
        sleep(2 * APART).await;
        stage.backend.ask(&block, PATIENCE).await.unwrap();
        let longest = arriving.await.unwrap();
        sleep(2 * APART).await;
        let (count, seconds) = stalls(&stage.vigie).await;
        eprintln!("{count} stalls of {seconds} s; the longest wait was {longest:?}");
        if count > 0.0 {
            assert!(seconds / count <= longest.as_secs_f64());
            return stage.end().await;
        }
    }
    panic!("no stall was counted");
}

/// Sends requests on connections of their own, one after the other, and waits for all responses. Returns the longest time that
/// one took.
async fn arrive(entry: SocketAddr, paths: &'static [&'static str]) -> Duration {
    let mut requests = JoinSet::new();
    for n in 0..ARRIVALS {
        requests.spawn(async move {
            sleep(n * APART).await;
            let path = paths[n as usize % paths.len()];
            let asked = Instant::now();
            let answer = http::get(entry, path).await.unwrap();
            assert!(answer.status < 500, "{path}: {}", answer.status);
            asked.elapsed()
        });
    }
    requests.join_all().await.into_iter().max().unwrap()
}

/// The number of stalls, and their duration in all.
async fn stalls(vigie: &Vigie) -> (f64, f64) {
    let scrape = vigie.scrape().await;
    let value = |suffix: &str| {
        let name = format!("http_app_stall_seconds_{suffix}");
        scrape.value(&name, &[]).unwrap()
    };
    (value("count"), value("sum"))
}

/// Sends requests one after the other and returns their durations.
async fn ask(entry: SocketAddr, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut connection = Connection::open(entry).await.unwrap().deadline(PATIENCE);
    let request = format!("GET / HTTP/1.1\r\nhost: {entry}\r\n\r\n");
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        connection.send(request.as_bytes()).await.unwrap();
        assert_eq!(connection.response().await.unwrap().status, 200);
        waits.push(asked.elapsed());
    }
    waits
}

/// Requests that took no longer than the bound.
fn bucket(scrape: &Scrape, bound: &str) -> f64 {
    let [method, route, code] = SERIES;
    let labels = [method, route, code, ("le", bound)];
    scrape
        .value("http_request_duration_seconds_bucket", &labels)
        .unwrap()
}
