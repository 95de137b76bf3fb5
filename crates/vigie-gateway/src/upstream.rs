//! Connections to the app: made within a deadline, kept alive, reused last in, first out.

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

/// The handle that sends on a connection, whose bytes a task of its own moves.
struct Link {
    sender: SendRequest<RequestBody>,
    /// Kept with the connection: to move a timer on costs far less than to make one.
    timer: Pin<Box<Sleep>>,
    /// The same connection, for what hyper cannot do; as long as it is open, and not hung up.
    socket: Weak<net::TcpStream>,
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

    /// Waits until `exchange` is over, or `deadline` has come.
    pub(crate) async fn until<T>(
        &mut self,
        deadline: Instant,
        exchange: impl Future<Output = T>,
    ) -> Option<T> {
        let mut exchange = pin!(exchange);
        let timer = &mut self.link.timer;
        // One that fires earlier is moved on then: nearly every exchange ends before, and never touches it.
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

    /// The app said how long it keeps idle connections.
    pub(crate) fn app_keeps(&mut self, idle: Duration) {
        self.idle = idle.saturating_sub(IDLE_MARGIN);
    }

    /// Tells the app that nobody waits any more, and leaves it the chance to have answered already.
    pub(crate) fn hang_up(&mut self) {
        if let Some(socket) = std::mem::take(&mut self.link.socket).upgrade() {
            // It fails when the app was faster.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    /// Gives the connection back. Its request and its response must be complete.
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
        let socket = stream.as_fd().try_clone_to_owned();
        let socket = socket.map_err(|_| Reason::ConnectFailed)?;
        let socket = Arc::new(net::TcpStream::from(socket));
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|_| Reason::ConnectFailed)?;
        let open = Arc::downgrade(&socket);
        tokio::spawn(async move {
            // The connection ends with its last sender, or with an error its request already told.
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
