//! Random series as a function of time, and the server that exposes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::now;

const HOSTS: u64 = 8;
/// How long a series behaves in the same way, in milliseconds.
const PHASE: i64 = 8_000;
/// One phase of so many is an outage of the whole target.
const OUTAGES: u64 = 12;

/// Numbers that look random, from a seed (splitmix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At most so many milliseconds.
    pub(super) fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.next() % most)
    }
}

/// The page at a time in milliseconds; `None` during an outage.
fn page(seed: u64, time: i64) -> Option<String> {
    let phase = time.div_euclid(PHASE).unsigned_abs();
    let draw = |what: u64| Random::new(seed ^ (phase << 16) ^ what).next();
    if draw(u64::MAX).is_multiple_of(OUTAGES) {
        return None;
    }
    let mut text = "# HELP level A level.\n# TYPE level gauge\n".to_owned();
    for host in 0..HOSTS {
        let value = match draw(host) % 8 {
            0..3 => 1,
            3..6 => 10,
            // It flaps more slowly than it is scraped.
            6 => 1 + 9 * (time.div_euclid(PHASE / 2) % 2),
            _ => continue,
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "level{{host=\"host-{host}\"}} {value}");
    }
    Some(text)
}

/// A server of the series. The path of a request is the name of the party that scrapes.
pub(super) struct Exposition {
    addr: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    seed: u64,
    /// Whether all series are low.
    calm: AtomicBool,
    /// The times of the scrapes of each party.
    scrapes: Mutex<BTreeMap<String, Vec<i64>>>,
}

impl Exposition {
    pub(super) async fn start(seed: u64) -> Self {
        let shared = Arc::new(Shared {
            seed,
            calm: AtomicBool::new(false),
            scrapes: Mutex::default(),
        });
        let router = Router::new()
            .route("/{party}", get(serve))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            addr,
            shared,
            serving,
        }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on all series are low.
    pub(super) fn calm(&self) {
        self.shared.calm.store(true, Relaxed);
    }

    /// The parties with the times between two scrapes that are further apart than `most`.
    pub(super) fn late_scrapes(&self, most: Duration) -> Vec<(String, i64, i64)> {
        let most = i64::try_from(most.as_millis()).unwrap();
        let scrapes = self.shared.scrapes.lock();
        let mut late = Vec::new();
        for (party, times) in &*scrapes {
            let pairs = times.windows(2).filter(|pair| pair[1] - pair[0] > most);
            late.extend(pairs.map(|pair| (party.clone(), pair[0], pair[1])));
        }
        late
    }
}

impl Drop for Exposition {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    Path(party): Path<String>,
) -> Result<([(&'static str, &'static str); 1], String), StatusCode> {
    let time = now();
    shared.scrapes.lock().entry(party).or_default().push(time);
    let page = match shared.calm.load(Relaxed) {
        true => {
            Some("# HELP level A level.\n# TYPE level gauge\nlevel{host=\"host-0\"} 1\n".to_owned())
        }
        false => page(shared.seed, time),
    };
    let text = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    page.map(|page| (text, page))
        .ok_or(StatusCode::SERVICE_UNAVAILABLE)
}
