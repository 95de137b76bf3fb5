//! Players who count their requests and responses, and distinguish the app's responses from the gateway's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use vigie_testkit::http::{Connection, Response};
use vigie_testkit::{Error, SOON};

/// Longer than the app's timeout for a hanging database.
const PATIENCE: Duration = SOON;
const PAUSE: Duration = Duration::from_millis(20);

/// Requests that need nothing, the database, and Redis.
const REQUESTS: [(&str, &str, &str); 4] = [
    ("GET", "/", ""),
    ("GET", "/players/7", ""),
    ("POST", "/players/7/mail", r#"{"subject":"still there?"}"#),
    ("GET", "/market/wood", ""),
];

/// The outcomes of the requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// Responses of the app, by status.
    pub(crate) answered: BTreeMap<u16, u64>,
    /// Outcomes that are not a response of the app.
    pub(crate) lost: Vec<String>,
}

/// Players on persistent connections, each in a separate thread.
pub(crate) struct Players {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Tally>>,
}

impl Players {
    pub(crate) fn start(gateway: SocketAddr, players: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let player = |first| {
            let until = Arc::clone(&stop);
            std::thread::spawn(move || play(gateway, first, &until))
        };
        Self {
            threads: (0..players).map(player).collect(),
            stop,
        }
    }

    /// Stops sending and waits for open requests.
    pub(crate) fn end(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = Tally::default();
        for thread in self.threads {
            let tally = thread.join().unwrap();
            sum.sent += tally.sent;
            sum.lost.extend(tally.lost);
            for (status, count) in tally.answered {
                *sum.answered.entry(status).or_default() += count;
            }
        }
        sum
    }
}

fn play(gateway: SocketAddr, first: usize, stop: &AtomicBool) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut tally = Tally::default();
    let mut kept = None;
    for request in REQUESTS.iter().cycle().skip(first) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        tally.sent += 1;
        match runtime.block_on(ask(gateway, &mut kept, *request)) {
            Ok(response)
                if response.header("content-type") == Some("application/json; charset=utf-8") =>
            {
                *tally.answered.entry(response.status).or_default() += 1;
            }
            Ok(response) => tally.lost.push(format!("{request:?}: {response:?}")),
            Err(error) => tally.lost.push(format!("{request:?}: {error}")),
        }
        std::thread::sleep(PAUSE);
    }
    tally
}

async fn ask(
    gateway: SocketAddr,
    kept: &mut Option<Connection>,
    (method, path, body): (&str, &str, &str),
) -> Result<Response, Error> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(gateway).await?.deadline(PATIENCE),
    };
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {gateway}\r\n");
    let about_body = match body.len() {
        0 => String::new(),
        length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
    };
    let request = format!("{head}{about_body}\r\n{body}");
    connection.send(request.as_bytes()).await?;
    let response = connection.response().await?;
    if response.header("connection") != Some("close") {
        *kept = Some(connection);
    }
    Ok(response)
}
