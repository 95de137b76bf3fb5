//! The admin port's HTTP server: few connections, each with deadlines.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::warn;

use super::target::Lenient;

/// Connections served at a time: a few scrapers, the kubelet, people.
pub(crate) const MAX_CONNECTIONS: usize = 128;
/// How long a head may take, and a connection may stay idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may live; scrapers reconnect.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(600);
/// How long open answers may take once the port closes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// A pause after a failed accept, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` until `stop`.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    http.header_read_timeout(HEAD_TIMEOUT);
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "accepting a connection on the admin port failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // An answer of several pieces would wait 40 ms for the client to acknowledge the first.
        let _ = stream.set_nodelay(true);
        let with_peer = move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        };
        let service = TowerToHyperService::new(router.clone().map_request(with_peer));
        let connection = http.serve_connection(TokioIo::new(Lenient::new(stream)), service);
        let stop = stop.clone();
        connections.spawn(async move {
            tokio::pin!(connection);
            // A reader that breaks off harms nobody.
            tokio::select! {
                _ = timeout(CONNECTION_LIFETIME, connection.as_mut()) => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = timeout(CLOSE_TIMEOUT, connection).await;
                }
            }
            drop(permit);
        });
    }
    connections.close();
    connections.wait().await;
}
