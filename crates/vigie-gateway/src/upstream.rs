//! Connections to the app: opened within a deadline, kept alive, and reused last in, first out.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::{self, Shutdown};
use std::os::fd::AsFd as _;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Poll, ready};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, timeout};

use crate::body::RequestBody;
use crate::record::{Metrics, Reason};

/// The maximum idle time of a connection if the app sends none: Node closes its own after 5 s.
const DEFAULT_IDLE: Duration = Duration::from_secs(4);
/// Subtracted from the app's own limit, so that a request does not race with the app closing the connection.
const IDLE_MARGIN: Duration = Duration::from_secs(1);
/// The maximum number of idle connections.
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

/// The sender of a connection, whose I/O is done by a separate task.
struct Link {
    sender: SendRequest<RequestBody>,
    /// Kept with the connection: resetting a timer costs far less than creating one.
    timer: Pin<Box<Sleep>>,
    /// The socket of the connection, for half-closing it; gone once it is closed or half-closed.
    socket: Weak<net::TcpStream>,
}

/// A connection in use. Dropping it closes it; [`put_back`](Self::put_back) makes it available to the next request.
pub(crate) struct Lease {
    link: Link,
    /// Whether it was used before, so that the app may have closed it in the meantime.
    pub(crate) reused: bool,
    upstream: Arc<Upstream>,
    idle: Duration,
}

impl Lease {
    /// The sender of the connection.
    pub(crate) fn sender(&mut self) -> &mut SendRequest<RequestBody> {
        &mut self.link.sender
    }

    /// Waits for `exchange`; `None` if `deadline` passes first.
    pub(crate) async fn until<T>(
        &mut self,
        deadline: Instant,
        exchange: impl Future<Output = T>,
    ) -> Option<T> {
        let mut exchange = pin!(exchange);
        let timer = &mut self.link.timer;
        // A timer that fires earlier is then extended: nearly every exchange ends before that and never resets it.
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        poll_fn(|cx| {
            if let Poll::Ready(value) = exchange.as_mut().poll(cx) {
                return Poll::Ready(Some(value));
            }
            loop {
                ready!(timer.as_mut().poll(cx));
                if timer.deadline() >= deadline {
                    return Poll::Ready(None);
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await
    }

    /// Sets the time for which the app keeps idle connections.
    pub(crate) fn app_keeps(&mut self, idle: Duration) {
        self.idle = idle.saturating_sub(IDLE_MARGIN);
    }

    /// Half-closes the connection: the app sees the disconnect, but a response already sent can still arrive.
    pub(crate) fn hang_up(&mut self) {
        if let Some(socket) = std::mem::take(&mut self.link.socket).upgrade() {
            // Fails if the app closed the connection first.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    /// Returns the connection for reuse. Its request and its response must be complete.
    pub(crate) fn put_back(self, now: Instant) {
        let open = !self.link.sender.is_closed() && self.link.socket.strong_count() > 0;
        if self.idle.is_zero() || !open {
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

    /// Takes an idle connection, or opens a new one.
    pub(crate) async fn lease(self: &Arc<Self>, now: Instant) -> Result<Lease, Reason> {
        match self.idle_lease(now) {
            Some(lease) => Ok(lease),
            None => self.connect().await,
        }
    }

    fn idle_lease(self: &Arc<Self>, now: Instant) -> Option<Lease> {
        let mut idle = self.idle.lock();
        loop {
            let Idle { link, until } = idle.pop_back()?;
            if until > now && !link.sender.is_closed() {
                return Some(Lease {
                    link,
                    reused: true,
                    upstream: Arc::clone(self),
                    idle: DEFAULT_IDLE,
                });
            }
        }
    }

    /// Opens a new connection.
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
        // Otherwise a request could wait for the acknowledgement of the previous one; a failure only costs time.
        let _ = stream.set_nodelay(true);
        let socket = stream.as_fd().try_clone_to_owned();
        let socket = socket.map_err(|_| Reason::ConnectFailed)?;
        let socket = Arc::new(net::TcpStream::from(socket));
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|_| Reason::ConnectFailed)?;
        let open = Arc::downgrade(&socket);
        tokio::spawn(async move {
            // The task ends with the connection's last sender, or with an error that its request has already reported.
            let _ = connection.with_upgrades().await;
            drop(socket);
        });
        Ok(Lease {
            link: Link {
                sender,
                timer: Box::pin(tokio::time::sleep(self.connect_timeout)),
                socket: open,
            },
            reused: false,
            upstream: Arc::clone(self),
            idle: DEFAULT_IDLE,
        })
    }
}
