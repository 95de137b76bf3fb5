//! Causes of alerts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use vigie_testkit::http::Connection;
use vigie_testkit::{Process, SOON, Script};

use crate::common::Stage;

/// The timeout of a script.
const SCRIPT: Duration = SOON;

/// A request, the number of concurrent players, and the expected status.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub(super) line: &'static str,
    pub(super) answered: u16,
    pub(super) at_once: usize,
}

/// Players who repeat one request.
pub(super) struct Flood {
    stop: Arc<AtomicBool>,
    players: Vec<JoinHandle<usize>>,
}

impl Flood {
    pub(super) fn start(stage: &Stage, request: Request) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let player = |_| tokio::spawn(play(stage.vigie.gateway, request, Arc::clone(&stop)));
        Self {
            players: (0..request.at_once).map(player).collect(),
            stop,
        }
    }

    /// Stops sending, waits for open requests, and returns the number of requests.
    pub(super) async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = 0;
        for player in self.players {
            sum += player.await.unwrap();
        }
        sum
    }
}

async fn play(gateway: SocketAddr, request: Request, stop: Arc<AtomicBool>) -> usize {
    let head = format!("{} HTTP/1.1\r\nhost: {gateway}\r\n\r\n", request.line);
    let mut connection = Connection::open(gateway).await.unwrap();
    let mut asked = 0;
    while !stop.load(Ordering::Relaxed) {
        connection.send(head.as_bytes()).await.unwrap();
        let answer = connection.response().await.unwrap();
        assert_eq!(answer.status, request.answered, "{}", answer.text());
        asked += 1;
    }
    asked
}

/// Runs this number of jobs through a queue; each fails.
pub(super) async fn fail(stage: &Stage, queue: &str, jobs: u32) {
    let (url, count) = (stage.redis.url(), jobs.to_string());
    let script = Script::new("testing/jobs.js")
        .args(["--redis", &url, "--queue", queue, "--jobs", &count])
        .args(["--fail-ratio", "1", "--names", "wreck"]);
    let mut script = script.spawn().unwrap();
    let truth = script.next_json(SCRIPT).await.unwrap();
    assert_eq!(truth["failed"]["wreck"], jobs);
    assert!(script.wait(SCRIPT).await.unwrap().success());
}

/// Makes `demo/testing/crowd.js` open or close this number of sessions, and returns how many are open.
pub(super) async fn ask(crowd: &mut Process, what: &str, sessions: u64) -> u64 {
    let command = json!({"cmd": what, "n": sessions});
    let answer = crowd.ask(&command, SCRIPT).await.unwrap();
    answer["open"].as_u64().unwrap()
}
