//! Connections to the app: made within a deadline, kept alive, reused last in, first out.
//!
//! A connection has no task of its own: whoever uses it [drives](Lease::drive) it, so that a request is carried
//! there and back without one task waking another.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, timeout};

use crate::body::RequestBody;
use crate::record::{Metrics, Reason};

/// How long an idle connection is trusted when the app does not say: Node closes its own after 5 s.
const DEFAULT_IDLE: Duration = Duration::from_secs(4);
/// Left between the app's own limit and ours, so that a request never meets a connection being closed.
const IDLE_MARGIN: Duration = Duration::from_secs(1);
/// Idle connections kept at most.
const MAX_IDLE: usize = 512;

/// The connections of one gateway thread to the app.
pub(crate) struct Upstream {
    app: String,
    connect_timeout: Duration,
    metrics: Arc<Metrics>,
    idle: Mutex<VecDeque<Idle>>,
}

struct Idle {
    link: Link,
    until: Instant,
}

/// hyper does not name the type of a connection that can be upgraded.
type Connection = dyn Future<Output = hyper::Result<()>> + Send;

/// A connection and the handle that sends on it.
struct Link {
    sender: SendRequest<RequestBody>,
    /// `None` when it has ended, or is driven by a task of its own.
    connection: Option<Pin<Box<Connection>>>,
    /// Kept with the connection: to move a timer on costs far less than to make one.
    timer: Pin<Box<Sleep>>,
}

impl Link {
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(cx).is_ready()
        {
            // Whatever it ended with, the request on it was told.
            self.connection = None;
        }
    }

    /// In which to poll what the connection feeds. Who drives the connection knows when it has fed something,
    /// and need not be woken for it; otherwise the task that drives it does the waking.
    fn context<'a>(&self, cx: &'a mut Context<'_>) -> Context<'a> {
        match self.connection {
            Some(_) => Context::from_waker(Waker::noop()),
            None => Context::from_waker(cx.waker()),
        }
    }

    /// Lets the connection notice what happened to it, and tells whether it can take a request.
    fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.sender.is_ready()
    }
}

/// A connection in use. Dropped, it is closed; [put back](Self::put_back), it serves the next request.
pub(crate) struct Lease {
    link: Link,
    /// Whether it has served before, so that the app may have closed it meanwhile.
    pub(crate) reused: bool,
    upstream: Arc<Upstream>,
    idle: Duration,
}

impl Lease {
    /// The handle that sends.
    pub(crate) fn sender(&mut self) -> &mut SendRequest<RequestBody> {
        &mut self.link.sender
    }

    /// Polls what the connection feeds: before it is driven, and once more after that if that was too early.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let ready = poll(&mut self.link.context(cx));
        if ready.is_ready() {
            return ready;
        }
        self.link.drive(cx);
        poll(&mut self.link.context(cx))
    }

    /// Drives the connection until `exchange` is over, or `deadline` has come.
    pub(crate) async fn until<T>(
        &mut self,
        deadline: Instant,
        exchange: impl Future<Output = T>,
    ) -> Option<T> {
        let mut exchange = pin!(exchange);
        self.link.timer.as_mut().reset(deadline);
        poll_fn(|cx| {
            self.link.drive(cx);
            match exchange.as_mut().poll(&mut self.link.context(cx)) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending => self.link.timer.as_mut().poll(cx).map(|()| None),
            }
        })
        .await
    }

    /// Has a task drive the connection: for an upload that goes on while nobody reads the response.
    pub(crate) fn drive_apart(&mut self) {
        if let Some(connection) = self.link.connection.take() {
            tokio::spawn(connection);
        }
    }

    /// Drives the connection to its end, which for an upgraded one is the upgrade.
    pub(crate) async fn into_driver(self) {
        if let Some(connection) = self.link.connection {
            // The upgrade tells its own failure.
            let _ = connection.await;
        }
    }

    /// The app said how long it keeps idle connections.
    pub(crate) fn app_keeps(&mut self, idle: Duration) {
        self.idle = idle.saturating_sub(IDLE_MARGIN);
    }

    /// Gives the connection back. Its request and its response must be complete.
    pub(crate) fn put_back(mut self, now: Instant) {
        if self.idle.is_zero() || !self.link.is_ready() {
            return;
        }
        let mut idle = self.upstream.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.until <= now) || idle.len() >= MAX_IDLE {
            idle.pop_front();
        }
        idle.push_back(Idle {
            link: self.link,
            until: now + self.idle,
        });
    }
}

impl Upstream {
    pub(crate) fn new(app: String, connect_timeout: Duration, metrics: Arc<Metrics>) -> Self {
        Self {
            app,
            connect_timeout,
            metrics,
            idle: Mutex::default(),
        }
    }

    /// `host:port` of the app.
    pub(crate) fn app(&self) -> &str {
        &self.app
    }

    /// An idle connection, or a new one.
    pub(crate) async fn lease(self: &Arc<Self>, now: Instant) -> Result<Lease, Reason> {
        match self.idle_lease(now) {
            Some(lease) => Ok(lease),
            None => self.connect().await,
        }
    }

    fn idle_lease(self: &Arc<Self>, now: Instant) -> Option<Lease> {
        let mut idle = self.idle.lock();
        loop {
            let Idle { mut link, until } = idle.pop_back()?;
            if until > now && link.is_ready() {
                return Some(Lease {
                    link,
                    reused: true,
                    upstream: Arc::clone(self),
                    idle: DEFAULT_IDLE,
                });
            }
        }
    }

    /// A new connection.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Lease, Reason> {
        let connected = timeout(self.connect_timeout, TcpStream::connect(&self.app)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            failed => {
                self.metrics.app_is_up(false);
                return Err(match failed {
                    Err(_) => Reason::ConnectTimeout,
                    _ => Reason::ConnectFailed,
                });
            }
        };
        self.metrics.app_is_up(true);
        // Without it a request could wait for the acknowledgement of the one before; a failure only costs time.
        let _ = stream.set_nodelay(true);
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|_| Reason::ConnectFailed)?;
        let connection: Pin<Box<Connection>> = Box::pin(connection.with_upgrades());
        let connection = Some(connection);
        Ok(Lease {
            link: Link {
                sender,
                connection,
                timer: Box::pin(tokio::time::sleep(self.connect_timeout)),
            },
            reused: false,
            upstream: Arc::clone(self),
            idle: DEFAULT_IDLE,
        })
    }
}
