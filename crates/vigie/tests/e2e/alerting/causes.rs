//! What happens to backends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use vigie_testkit::http::Connection;
use vigie_testkit::{Process, Script};

use crate::common::Stage;

/// A script's answer comes within this time.
const SCRIPT: Duration = Duration::from_secs(60);

/// A request, by how many players at once, and the status it is answered with.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub(super) line: &'static str,
    pub(super) answered: u16,
    pub(super) at_once: usize,
}

/// Players who all ask for the same, again and again.
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

    /// No new requests; waits for the open ones, and says how many there were.
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

/// Runs so many jobs through a queue, of which each fails.
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

/// Has so many sessions opened or closed by `demo/testing/crowd.js`, and says how many are open then.
pub(super) async fn ask(crowd: &mut Process, what: &str, sessions: u64) -> u64 {
    let command = json!({"cmd": what, "n": sessions});
    let answer = crowd.ask(&command, SCRIPT).await.unwrap();
    answer["open"].as_u64().unwrap()
}
