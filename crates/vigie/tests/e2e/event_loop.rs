//! A blocked event loop of the app delays every pending request, which the histogram shows. The app itself cannot
//! measure this: it starts timing after the wait.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use vigie_testkit::http::Connection;
use vigie_testkit::promtext::Scrape;

use crate::common::{Stage, Vigie};
use vigie_testkit::SOON;

const BLOCKED: Duration = Duration::from_millis(400);
const BLOCKS: u32 = 3;
const CLIENTS: u32 = 6;
/// A bound of the histogram.
const SLOW: Duration = Duration::from_millis(250);
const SERIES: [(&str, &str); 3] = [("method", "GET"), ("route", "/"), ("code", "200")];
const PATIENCE: Duration = SOON;

#[tokio::test]
async fn a_blocked_event_loop_shows_in_the_histogram() {
    // No tick and no traffic: nothing else delays the app.
    let mut stage = Stage::set_with(&[("TICK_EVERY_MS", "3600000")]).await;
    let routes = format!(
        "[gateway]\napp = \"http://{}\"\nroutes = [\"/\"]\n",
        stage.app
    );
    let vigie = Vigie::start(&routes).await;
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(ask(vigie.gateway, Arc::clone(&stop))))
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

    let scrape = vigie.scrape().await;
    let value = |suffix: &str| {
        let name = format!("http_request_duration_seconds_{suffix}");
        scrape.value(&name, &SERIES).unwrap()
    };
    let (count, sum) = (value("count"), value("sum"));
    assert_eq!(count, waits.len() as f64);
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

/// Sends requests one after the other and returns their durations.
async fn ask(gateway: SocketAddr, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut connection = Connection::open(gateway).await.unwrap().deadline(PATIENCE);
    let request = format!("GET / HTTP/1.1\r\nhost: {gateway}\r\n\r\n");
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
