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

/// Longer than a silent session lives.
const SILENCE: Duration = Duration::from_secs(120);
/// A session that does not answer ends after 40 s, which is longer than a restart takes.
const PING: [(&str, &str); 2] = [
    ("SOCKET_PING_INTERVAL", "20000"),
    ("SOCKET_PING_TIMEOUT", "20000"),
];
const PATH: &str = "/socket.io/?EIO=4&transport=polling";
const QUEUE: &str = "known";

#[tokio::test]
async fn killed_under_traffic_and_started_again() {
    let mut stage = Stage::set_with(&PING).await;
    let gateway = stage.vigie.gateway;
    jobs::run(&stage.redis, QUEUE, 200).await;
    let target = format!("http://{gateway}");
    let traffic = Script::new("traffic/traffic.js");
    let mut traffic = traffic
        .args(["--target", &target, "--players", "10"])
        .spawn()
        .unwrap();
    eventually(SOON, async || {
        let scrape = stage.vigie.scrape().await;
        let requests = scrape.sum("http_request_duration_seconds_count", &[]);
        let sockets = scrape.value("socket_active_connections", &[]).unwrap();
        let jobs = ended(&stage).await;
        let busy = requests > 200.0 && sockets > 2.0 && jobs == [Some(180.0), Some(20.0)];
        busy.then_some(()).ok_or(format!(
            "{requests} requests, {sockets} sockets, jobs {jobs:?}"
        ))
    })
    .await;
    let started = start_time(&stage).await;

    // The server closes a session whose open poll is interrupted; a session without an open poll is unaffected.
    let quiet = open(gateway).await;
    assert_eq!(post(gateway, &quiet, "40").await.status, 200);
    let polling = open(gateway).await;
    let _poll = wait_in_a_poll(gateway, &polling).await;
    stage.vigie.kill9_and_restart().await;

    assert!(start_time(&stage).await > started);
    assert_eq!(
        ended(&stage).await,
        [Some(0.0); 2],
        "what ended before is not counted again"
    );
    let answer = poll(gateway, &quiet).await;
    assert!(
        answer.status == 200 && answer.text().starts_with("40"),
        "{answer:?}"
    );
    let unknown = poll(gateway, &polling).await;
    assert_eq!(
        (unknown.status, unknown.json().unwrap()["code"].as_u64()),
        (400, Some(1))
    );
    let scrape = stage.vigie.scrape().await;
    let adopted = scrape.value("socketio_sessions_adopted_total", &[]);
    assert!(adopted >= Some(1.0), "{adopted:?}");
    // The session continues while the client sends pongs, however long the rest takes.
    let pong = async || assert_eq!(post(gateway, &quiet, "3").await.status, 200);

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
    assert_eq!(post(gateway, &quiet, "1").await.status, 200);
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
async fn open(gateway: SocketAddr) -> String {
    let opened = http::get(gateway, PATH).await.unwrap();
    let packet: Value = serde_json::from_str(opened.text().strip_prefix('0').unwrap()).unwrap();
    packet["sid"].as_str().unwrap().to_owned()
}

async fn post(gateway: SocketAddr, sid: &str, packet: &str) -> Response {
    let path = format!("{PATH}&sid={sid}");
    let headers = [("content-type", "text/plain")];
    let answer = http::request(gateway, "POST", &path, &headers, packet.as_bytes());
    answer.await.unwrap()
}

async fn poll(gateway: SocketAddr, sid: &str) -> Response {
    http::get(gateway, &format!("{PATH}&sid={sid}"))
        .await
        .unwrap()
}

/// Leaves a poll open.
async fn wait_in_a_poll(gateway: SocketAddr, sid: &str) -> Connection {
    let mut connection = Connection::open(gateway).await.unwrap();
    let get = format!("GET {PATH}&sid={sid} HTTP/1.1\r\nhost: {gateway}\r\n\r\n");
    connection.send(get.as_bytes()).await.unwrap();
    // The poll must reach the server.
    sleep(Duration::from_millis(500)).await;
    connection
}
