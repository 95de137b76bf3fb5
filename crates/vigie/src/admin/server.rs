//! The HTTP server of the admin port. Every request except probes needs a place, every step of a client has a
//! deadline, and the number of connections is bounded, so that no client can block the probes.

mod activity;
mod connections;
mod places;
mod stream;
mod target;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::warn;
use vigie_metrics::Registry;

use super::refusals::Refusals;
use activity::{Activity, Deadlines};
use connections::Connections;
pub(super) use places::Class;
use places::Places;
use stream::{Slow, Timed};
use target::Lenient;

/// The largest request head: the longest target that hyper accepts (64 KiB), and some headers.
const LARGEST_HEAD: usize = 128 << 10;
/// The maximum lifetime of a connection; clients reconnect.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(600);
/// The time for open responses to finish once the port closes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// A pause after a failed accept, to avoid a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// `Retry-After` of a request refused for lack of a place, in seconds.
const RETRY_SECONDS: &str = "5";

/// The concurrency limits of the server.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Open connections; must exceed the number of places.
    connections: usize,
    /// Concurrent requests to `/api/v1`.
    queries: usize,
    /// Other concurrent requests, excluding probes.
    pages: usize,
    deadlines: Deadlines,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            queries: 64,
            pages: 32,
            deadlines: Deadlines {
                head: Duration::from_secs(5),
                idle: Duration::from_secs(75),
                write: Duration::from_secs(15),
            },
        }
    }
}

/// The maximum memory of requests before they are answered, in bytes: heads, and forms of at most `form` bytes.
pub(crate) fn memory(form: usize) -> usize {
    let limits = Limits::default();
    let heads = limits.connections.saturating_mul(LARGEST_HEAD);
    heads.saturating_add(limits.queries.saturating_mul(form))
}

/// Serves `router` until `stop`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    registry: Registry,
    stop: CancellationToken,
) {
    let server = Server::new(router, &registry, Limits::default());
    server.serve(listener, stop).await;
}

struct Server {
    router: Router,
    deadlines: Deadlines,
    places: Places,
    connections: Connections,
    http: http1::Builder,
    /// Requests without a place.
    busy: Refusals,
    /// Connections closed to make room for a new one.
    evicted: Refusals,
    slow: Slow,
}

impl Server {
    fn new(router: Router, registry: &Registry, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        http.header_read_timeout(None);
        http.max_buf_size(LARGEST_HEAD);
        let closed = |reason, message| Refusals::of_connections(registry, reason, message);
        Self {
            router,
            deadlines: limits.deadlines,
            places: Places::new(limits.queries, limits.pages),
            connections: Connections::new(limits.connections),
            http,
            busy: Refusals::of_requests(
                registry,
                "busy",
                "too many requests at a time; answering 503, except to probes",
            ),
            evicted: closed(
                "evicted",
                "too many connections; closing the one that was idle longest",
            ),
            slow: Slow {
                heads: closed(
                    "slow_head",
                    "a client did not send a whole request in time; closing its connection",
                ),
                readers: closed(
                    "slow_reader",
                    "a client does not read its answer; closing its connection",
                ),
            },
        }
    }

    async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let server = Arc::new(self);
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let activity = Arc::new(Activity::new(server.deadlines));
                    let (open, closed) = server.connections.open(Arc::clone(&activity));
                    if closed {
                        server.evicted.note();
                    }
                    let (server, stop) = (Arc::clone(&server), stop.clone());
                    tasks.spawn(async move {
                        server.connection(stream, peer, activity, stop).await;
                        drop(open);
                    });
                }
                Err(error) => {
                    warn!(%error, "accepting a connection on the admin port failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        activity: Arc<Activity>,
        stop: CancellationToken,
    ) {
        // With Nagle's algorithm, a response of several writes would wait 40 ms for the client's delayed ACK.
        let _ = stream.set_nodelay(true);
        let stream = Timed::new(
            Lenient::new(stream),
            Arc::clone(&activity),
            self.slow.clone(),
        );
        let service = service_fn(|request| self.answer(request, peer, &activity));
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        // The way a connection ends matters only to its client.
        let grace = tokio::select! {
            _ = connection.as_mut() => return,
            () = activity.closing() => return,
            () = tokio::time::sleep(CONNECTION_LIFETIME) => CONNECTION_LIFETIME,
            () = stop.cancelled() => CLOSE_TIMEOUT,
        };
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            _ = timeout(grace, connection) => {}
            () = activity.closing() => {}
        }
    }

    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
        activity: &Arc<Activity>,
    ) -> Result<Response<Sent>, Infallible> {
        activity.begin().await;
        let response = match self.places.take(Class::of(request.uri().path())) {
            Ok(place) => {
                if let Some(place) = place {
                    activity.hold(place);
                }
                let mut request: Request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                self.router.clone().oneshot(request).await?
            }
            Err(places::Busy) => {
                self.busy.note();
                busy()
            }
        };
        Ok(response.map(|body| Sent {
            body,
            activity: Arc::clone(activity),
        }))
    }
}

fn busy() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [
            (RETRY_AFTER, RETRY_SECONDS),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        "503 Service Unavailable: too many requests at a time\n",
    )
        .into_response()
}

/// The body of a response; records its end.
struct Sent {
    body: Body,
    activity: Arc<Activity>,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.activity.answered();
    }
}

#[cfg(test)]
mod tests;
