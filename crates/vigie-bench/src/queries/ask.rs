//! Requests to one of the parties, over connections that are kept.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use vigie_testkit::http::{Connection, Response};

use super::request::Request;
use crate::usage;

const LATE: Duration = Duration::from_secs(60);
/// How long an answer is waited for without sleeping. Longer would take a processor from those who answer.
const AWAKE: Duration = Duration::from_millis(1);
/// How many requests the page sends at a time.
const AT_ONCE: usize = 5;
/// How often a question is asked in a round, at least; the median of the wall times counts.
pub(super) const ASKED: usize = 3;
/// A question is asked more often until so much time has passed: the processor time of a small one is small.
const LONG_ENOUGH: Duration = Duration::from_millis(20);
const MOST_ASKED: usize = 100;

/// One of the programs, and our connections to it.
pub(super) struct Party {
    pub(super) name: String,
    process: u32,
    addr: SocketAddr,
    connections: Vec<Connection>,
}

/// The measurement of a party in a round.
pub(super) struct Measured {
    /// Milliseconds from the first byte sent to the last byte received, of each time it was asked.
    pub(super) wall: Vec<f64>,
    /// Milliseconds of processor time of all its threads, on average.
    pub(super) cpu: f64,
    /// The last answers.
    pub(super) answers: Vec<Response>,
}

impl Party {
    pub(super) async fn connect(
        name: String,
        process: u32,
        addr: SocketAddr,
    ) -> anyhow::Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..AT_ONCE {
            connections.push(Connection::open(addr).await?.deadline(LATE));
        }
        Ok(Self {
            name,
            process,
            addr,
            connections,
        })
    }

    pub(super) async fn measure(&mut self, requests: &[Request]) -> anyhow::Result<Measured> {
        let texts: Vec<_> = requests.iter().map(|one| one.text(self.addr)).collect();
        let texts = Arc::new(texts);
        let mut wall = Vec::new();
        let mut answers = Vec::new();
        let before = usage::cpu_exact(self.process)?;
        let start = Instant::now();
        while wall.len() < ASKED || start.elapsed() < LONG_ENOUGH && wall.len() < MOST_ASKED {
            let start = Instant::now();
            answers = match &texts[..] {
                [one] => vec![self.ask(one).await?],
                _ => self.ask_all(&texts).await?,
            };
            wall.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let cpu = usage::cpu_exact(self.process)?.saturating_sub(before);
        for (answer, request) in answers.iter().zip(requests) {
            let (name, status) = (&self.name, answer.status);
            let text = || {
                format!(
                    "{name}: {}: {status} {}",
                    request.expression(),
                    answer.text()
                )
            };
            ensure!(status == 200, text());
        }
        Ok(Measured {
            cpu: cpu.as_secs_f64() * 1e3 / wall.len() as f64,
            wall,
            answers,
        })
    }

    /// The first byte is waited for without sleeping: to be woken takes as long as a small query does.
    async fn ask(&mut self, request: &str) -> anyhow::Result<Response> {
        let start = Instant::now();
        let connection = self.connections.first_mut().context("a connection")?;
        connection.send(request.as_bytes()).await?;
        let mut response = pin!(connection.response());
        let awake = async {
            while start.elapsed() < AWAKE {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            response = &mut response => Ok(response?),
            () = awake => Ok(response.await?),
        }
    }

    /// Asks as the page does: as many at once as there are connections.
    async fn ask_all(&mut self, requests: &Arc<Vec<String>>) -> anyhow::Result<Vec<Response>> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut asking = JoinSet::new();
        for mut connection in self.connections.drain(..) {
            let (requests, next) = (Arc::clone(requests), Arc::clone(&next));
            asking.spawn(async move {
                let mut answers = Vec::new();
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    let Some(request) = requests.get(at) else {
                        return anyhow::Ok((connection, answers));
                    };
                    connection.send(request.as_bytes()).await?;
                    answers.push((at, connection.response().await?));
                }
            });
        }
        let mut all = Vec::new();
        while let Some(asked) = asking.join_next().await {
            let (connection, answers) = asked??;
            self.connections.push(connection);
            all.extend(answers);
        }
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Resident bytes.
    pub(super) fn resident(&self) -> anyhow::Result<u64> {
        usage::resident(self.process)
    }

    /// The most bytes that were ever resident.
    pub(super) fn resident_peak(&self) -> anyhow::Result<u64> {
        usage::resident_peak(self.process)
    }
}
