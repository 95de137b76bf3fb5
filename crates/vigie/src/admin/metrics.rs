//! `/metrics`: the current state of the registry. It queries no other system, so it answers during any outage.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Extension};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, USER_AGENT};
use axum::response::IntoResponse;
use axum::routing::get;
use parking_lot::Mutex;
use tokio::time::Instant;
use vigie_metrics::{Format, Registry, Scrape, View};

use super::scrapers::{Client, Scrapers};

/// Prometheus and vmagent send it with every scrape, other clients do not.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");
/// Within this time after the start, a client's first scrape may follow scrapes of the previous process.
const RECENT_START: Duration = Duration::from_secs(120);

pub(super) fn router<S: Clone + Send + Sync + 'static>(registry: Registry) -> Router<S> {
    let page = Arc::new(Page {
        registry,
        scrapers: Mutex::default(),
        start: Instant::now(),
    });
    let expose = move |peer: Option<Extension<ConnectInfo<SocketAddr>>>, headers: HeaderMap| {
        let page = Arc::clone(&page);
        async move { page.expose(peer.map(|Extension(ConnectInfo(peer))| peer), &headers) }
    };
    Router::new().route("/metrics", get(expose))
}

struct Page {
    registry: Registry,
    scrapers: Mutex<Scrapers>,
    start: Instant,
}

impl Page {
    fn expose(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> impl IntoResponse + use<> {
        let accept = headers.get_all(ACCEPT).iter();
        let accept: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
        let accept = accept.join(",");
        let format = Format::from_accept(&accept);
        let scrape = self.scrape(peer, headers);
        // Prometheus prefers protobuf when it ingests created timestamps. Otherwise it would store them as series.
        let created = scrape.is_none() || accept.trim_start().starts_with(PROTOBUF);
        let view = View {
            format,
            created,
            scrape,
        };
        (
            [
                (CONTENT_TYPE, format.content_type()),
                (CACHE_CONTROL, "no-store"),
            ],
            self.registry.expose(view),
        )
    }

    /// The scrape for this request, if the client scrapes regularly.
    fn scrape(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<Scrape> {
        headers.get(SCRAPE_TIMEOUT)?;
        let agent = headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let client = Client::new(peer.map(|peer| peer.ip()), agent.unwrap_or_default());
        let is_recent_start = self.start.elapsed() < RECENT_START;
        // One lock covers both, so that a client's scrapes are recorded in the order of their numbers.
        let mut scrapers = self.scrapers.lock();
        let epoch = self.registry.begin_scrape();
        Some(scrapers.scrape(client, epoch, is_recent_start))
    }
}

const PROTOBUF: &str = "application/vnd.google.protobuf";

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
