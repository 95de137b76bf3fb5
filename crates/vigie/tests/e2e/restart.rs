//! Vigie is killed under traffic and restarted: it becomes ready, counts from 0, and rediscovers the sessions that
//! stayed open.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use vigie_testkit::http::{self, Connection, Response};
use vigie_testkit::{SOON, Script, eventually};

use crate::common::Stage;
use crate::jobs;
use crate::source::{Source, for_each_source};

/// Longer than a silent session lives.
const SILENCE: Duration = Duration::from_secs(120);
/// A session that does not answer ends after 40 s, which is longer than a restart takes.
const PING: [(&str, &str); 2] = [
    ("SOCKET_PING_INTERVAL", "20000"),
    ("SOCKET_PING_TIMEOUT", "20000"),
];
const PATH: &str = "/socket.io/?EIO=4&transport=polling";
const QUEUE: &str = "known";

for_each_source!(killed_under_traffic_and_started_again);

async fn killed_under_traffic_and_started_again(source: Source) {
    let mut stage = Stage::set_for(source, &PING, "").await;
    let entry = stage.entry();
    jobs::run(&stage.redis, QUEUE, 200).await;
    let target = format!("http://{entry}");
    let traffic = Script::new("traffic/traffic.js");
    let mut traffic = traffic
        .args(["--target", &target, "--players", "10"])
        .spawn()
        .unwrap();
    eventually(SOON, async || {
        let scrape = stage.vigie.scrape().await;
        let requests = scrape.sum("http_request_duration_seconds_count", &[]);
        let sockets = scrape.value("socket_active_connections", &[]);
        let sockets = sockets.unwrap_or_default();
        let jobs = ended(&stage).await;
        let busy = requests > 200.0 && sockets > 2.0 && jobs == [Some(180.0), Some(20.0)];
        busy.then_some(()).ok_or(format!(
            "{requests} requests, {sockets} sockets, jobs {jobs:?}"
        ))
    })
    .await;
    let started = start_time(&stage).await;

    let quiet = open(entry).await;
    assert_eq!(post(entry, &quiet, "40").await.status, 200);
    let polling = open(entry).await;
    let _poll = wait_in_a_poll(entry, &polling).await;
    stage.vigie.kill9_and_restart().await;

    assert!(start_time(&stage).await > started);
    assert_eq!(
        ended(&stage).await,
        [Some(0.0); 2],
        "what ended before is not counted again"
    );
    let answer = poll(entry, &quiet).await;
    assert!(
        answer.status == 200 && answer.text().starts_with("40"),
        "{answer:?}"
    );
    match source {
        // The server closes a session whose open poll is interrupted.
        Source::Gateway => {
            let unknown = poll(entry, &polling).await;
            let code = unknown.json().unwrap()["code"].as_u64();
            assert_eq!((unknown.status, code), (400, Some(1)));
        }
        // The end of the capture interrupts nothing.
        Source::Capture => assert_eq!(post(entry, &polling, "1").await.status, 200),
    }
    eventually(SOON, async || {
        let scrape = stage.vigie.scrape().await;
        let adopted = scrape.value("socketio_sessions_adopted_total", &[]);
        (adopted >= Some(1.0))
            .then_some(())
            .ok_or(format!("{adopted:?} adopted"))
    })
    .await;
    // The session continues while the client sends pongs, however long the rest takes.
    let pong = async || assert_eq!(post(entry, &quiet, "3").await.status, 200);

    // The traffic continues through the new process.
    eventually(SOON, async || {
        pong().await;
        let scrape = stage.vigie.scrape().await;
        let requests = scrape.sum("http_request_duration_seconds_count", &[]);
        (requests > 200.0)
            .then_some(())
            .ok_or(format!("{requests} requests"))
    })
    .await;
    jobs::run(&stage.redis, QUEUE, 100).await;
    eventually(SOON, async || {
        pong().await;
        let ended = ended(&stage).await;
        (ended == [Some(90.0), Some(10.0)])
            .then_some(())
            .ok_or(format!("{ended:?}"))
    })
    .await;
    assert_eq!(post(entry, &quiet, "1").await.status, 200);
    let status = traffic.stop(SOON).await.unwrap();
    assert!(status.success(), "{}", traffic.tail());
    all_sessions_end(&mut stage).await;
    stage.end().await;
}

/// Waits until the gauge equals the server's count, with all sessions closed.
async fn all_sessions_end(stage: &mut Stage) {
    let (backend, vigie) = (&mut stage.backend, &stage.vigie);
    eventually(SILENCE, async || {
        let truth = backend.ask(&json!({"cmd": "clients"}), SOON).await.unwrap();
        let truth = truth["clientsCount"].as_f64();
        let gauge = vigie.scrape().await.value("socket_active_connections", &[]);
        let over = (truth, gauge) == (Some(0.0), Some(0.0));
        over.then_some(())
            .ok_or(format!("{gauge:?} instead of {truth:?}"))
    })
    .await;
}

async fn ended(stage: &Stage) -> [Option<f64>; 2] {
    let scrape = stage.vigie.scrape().await;
    ["completed", "failed"].map(|state| {
        let labels = [("queue", QUEUE), ("state", state)];
        scrape.value("queue_jobs_total", &labels)
    })
}

async fn start_time(stage: &Stage) -> f64 {
    let scrape = stage.vigie.scrape().await;
    scrape.value("process_start_time_seconds", &[]).unwrap()
}

/// Opens a polling session.
async fn open(entry: SocketAddr) -> String {
    let opened = http::get(entry, PATH).await.unwrap();
    let packet: Value = serde_json::from_str(opened.text().strip_prefix('0').unwrap()).unwrap();
    packet["sid"].as_str().unwrap().to_owned()
}

async fn post(entry: SocketAddr, sid: &str, packet: &str) -> Response {
    let path = format!("{PATH}&sid={sid}");
    let headers = [("content-type", "text/plain")];
    let answer = http::request(entry, "POST", &path, &headers, packet.as_bytes());
    answer.await.unwrap()
}

async fn poll(entry: SocketAddr, sid: &str) -> Response {
    http::get(entry, &format!("{PATH}&sid={sid}"))
        .await
        .unwrap()
}

/// Leaves a poll open.
async fn wait_in_a_poll(entry: SocketAddr, sid: &str) -> Connection {
    let mut connection = Connection::open(entry).await.unwrap();
    let get = format!("GET {PATH}&sid={sid} HTTP/1.1\r\nhost: {entry}\r\n\r\n");
    connection.send(get.as_bytes()).await.unwrap();
    // The poll must reach the server.
    sleep(Duration::from_millis(500)).await;
    connection
}
