//! The I/O of one client connection: moves bytes between the sockets and the [`Pump`].

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use vigie_traffic::Close;

use crate::apps::{Apps, Chosen, Tried};
use crate::held::Held;
use crate::output::Output;
use crate::pump::Pump;
use crate::reason::{Metrics, Reason};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::socket::{finish, is_own, read_some, write_kept, write_or_keep};

/// The buffers of a thread: a connection keeps only bytes that the other side does not accept.
struct Buffers {
    read: Box<[u8]>,
    copied: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        read: vec![0; 64 * 1024].into_boxed_slice(),
        copied: Vec::new(),
    });
}

/// Serves a client until its connection ends. The connection is boxed, because a future has room for each of its moves.
pub(crate) async fn serve(mut connection: Box<Connection>, shared: Arc<Shared>, held: Held) {
    let Shared {
        settings,
        metrics,
        apps,
        drain,
    } = &*shared;
    let mut timer = pin!(sleep_until(Instant::now() + settings.keep_alive));
    let mut draining = pin!(drain.begun());
    let mut is_awaited = false;
    let mut is_draining = false;
    loop {
        let step = poll_fn(|cx| {
            if !is_awaited {
                // The first poll is enough to wake this task.
                is_awaited = true;
                let _ = draining.as_mut().poll(cx);
            }
            let step = connection.poll(cx, metrics, timer.as_mut());
            if step.is_pending() && !is_draining && drain.has_begun() {
                // Requests that have arrived were read before.
                is_draining = true;
                connection.pump.drain(metrics.now());
                return connection.poll(cx, metrics, timer.as_mut());
            }
            step
        });
        match step.await {
            // Boxed, because it is large and short-lived.
            Step::Connect => Box::pin(connection.connect(settings, apps, metrics)).await,
            Step::Done => break,
        }
    }
    if connection.pump.resets_client() {
        // A failure ends the connection in order.
        let _ = connection.client.set_zero_linger();
    }
    drop(connection);
    drop(held);
}

enum Step {
    Connect,
    Done,
}

/// The sockets of a connection, and its state.
pub(crate) struct Connection {
    pump: Pump,
    client: TcpStream,
    /// Whether our side of the connection is closed.
    client_finished: bool,
    app: Option<TcpStream>,
    app_finished: bool,
    /// The address of the app, as long as there is a connection.
    chosen: Option<Chosen>,
}

impl Connection {
    pub(crate) fn new(pump: Pump, client: TcpStream) -> Self {
        Self {
            pump,
            client,
            client_finished: false,
            app: None,
            app_finished: false,
            chosen: None,
        }
    }

    /// Connects to an address of the app. Another one is tried if it accepts no connection: none has received a byte then.
    async fn connect(&mut self, settings: &Settings, apps: &Arc<Apps>, metrics: &Metrics) {
        let mut tried = Tried::default();
        let mut failure = (Reason::ConnectFailed, None);
        while let Some(chosen) = apps.choose(&tried, metrics.now()) {
            let connecting = TcpStream::connect(chosen.address());
            match timeout(settings.connect_timeout, connecting).await {
                Ok(Ok(app)) => {
                    // Otherwise a request could wait for the acknowledgement of the previous one; a failure only costs time.
                    let _ = app.set_nodelay(true);
                    chosen.accepted();
                    self.app = Some(app);
                    self.chosen = Some(chosen);
                    self.pump.connected(metrics.now());
                    return;
                }
                Ok(Err(error)) if is_own(&error) => {
                    failure = (Reason::OutOfResources, Some(error));
                    break;
                }
                Ok(Err(error)) => failure = (Reason::ConnectFailed, Some(error)),
                Err(_) => failure = (Reason::ConnectTimeout, None),
            }
            chosen.failed(&mut tried, metrics.now());
        }
        let now = metrics.now();
        let (reason, cause) = failure;
        match cause {
            Some(error) => self.pump.not_connected(now, reason, &error),
            None => self.pump.not_connected(now, reason, &""),
        }
    }

    /// Moves bytes until nothing more can be done now.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        metrics: &Metrics,
        mut timer: Pin<&mut Sleep>,
    ) -> Poll<Step> {
        loop {
            let mut progress = self.write_app(cx, metrics) | self.write_client(cx, metrics);
            if !self.pump.has_app() && self.app.is_some() {
                self.app = None;
                self.chosen = None;
            }
            progress |= self.read_app(cx, metrics) | self.read_client(cx, metrics);
            if self.pump.is_done() {
                return Poll::Ready(Step::Done);
            }
            if self.pump.wants_app() {
                return Poll::Ready(Step::Connect);
            }
            if progress {
                continue;
            }
            let Some(deadline) = self.pump.deadline() else {
                return Poll::Pending;
            };
            let deadline = metrics.instant(deadline);
            // A timer that fires earlier is extended then, so that a request does not cost a timer operation.
            if timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
            match deadline <= Instant::now() {
                true => self.pump.expire(metrics.now()),
                false => timer.as_mut().reset(deadline),
            }
        }
    }

    /// Writes what was kept for the app. Returns whether something has changed.
    fn write_app(&mut self, cx: &mut Context<'_>, metrics: &Metrics) -> bool {
        let Some(app) = self.app.as_mut().filter(|_| self.pump.writes_app()) else {
            return false;
        };
        let mut progress = false;
        if !self.pump.to_app.is_empty() {
            match write_kept(app, cx, &mut self.pump.to_app) {
                Poll::Pending => return false,
                Poll::Ready(Ok(())) => self.pump.wrote(metrics.now()),
                Poll::Ready(Err(_)) => self.pump.app_is_deaf(),
            }
            progress = true;
        }
        if self.pump.finishes_app() && !self.app_finished {
            self.app_finished = true;
            finish(app, cx);
            progress = true;
        }
        progress
    }

    fn write_client(&mut self, cx: &mut Context<'_>, metrics: &Metrics) -> bool {
        let mut progress = false;
        if !self.pump.to_client.is_empty() {
            let now = metrics.now();
            match write_kept(&self.client, cx, &mut self.pump.to_client) {
                Poll::Pending => return false,
                Poll::Ready(Ok(())) => {
                    self.pump.wrote(now);
                    self.pump.settle(now);
                }
                Poll::Ready(Err(_)) => self.pump.client_gone(now),
            }
            progress = true;
        }
        if self.pump.finishes_client() && !self.client_finished {
            self.client_finished = true;
            finish(&mut self.client, cx);
            progress = true;
        }
        progress
    }

    fn read_app(&mut self, cx: &mut Context<'_>, metrics: &Metrics) -> bool {
        let Some(app) = self.app.as_mut().filter(|_| self.pump.reads_app()) else {
            return false;
        };
        BUFFERS.with_borrow_mut(|Buffers { read, copied }| {
            let Poll::Ready(result) = read_some(app, cx, read) else {
                return false;
            };
            let now = metrics.now();
            match result {
                Ok(0) => self.pump.app_closed(now, Close::Finished),
                Err(_) => self.pump.app_closed(now, Close::Reset),
                Ok(length) => {
                    let input = &read[..length];
                    let mut out = Output::new(input, copied);
                    self.pump.app_bytes(now, input, &mut out);
                    if !self.pump.has_no_client()
                        && write_or_keep(&self.client, out.bytes(), &mut self.pump.to_client)
                            .is_err()
                    {
                        self.pump.client_gone(now);
                    }
                    shrink(copied);
                    self.pump.settle(now);
                }
            }
            true
        })
    }

    fn read_client(&mut self, cx: &mut Context<'_>, metrics: &Metrics) -> bool {
        if !self.pump.reads_client() {
            return false;
        }
        BUFFERS.with_borrow_mut(|Buffers { read, copied }| {
            let Poll::Ready(result) = read_some(&mut self.client, cx, read) else {
                return false;
            };
            let now = metrics.now();
            match result {
                Ok(0) => self.pump.client_finished(now),
                Err(_) => self.pump.client_gone(now),
                Ok(length) if self.pump.is_closing() => self.pump.discard(now, length),
                Ok(length) => {
                    let input = &read[..length];
                    let mut out = Output::new(input, copied);
                    self.pump.client_bytes(now, input, &mut out);
                    self.forward(out.bytes());
                    shrink(copied);
                }
            }
            true
        })
    }

    /// Writes to the app, or keeps the bytes until it is connected.
    fn forward(&mut self, bytes: &[u8]) {
        match &self.app {
            Some(app) if self.pump.writes_app() => {
                if write_or_keep(app, bytes, &mut self.pump.to_app).is_err() {
                    self.pump.app_is_deaf();
                }
            }
            Some(_) => {}
            None => self.pump.to_app.extend_from_slice(bytes),
        }
    }
}

/// The capacity of the thread's buffer that is kept.
const KEPT: usize = 256 * 1024;

fn shrink(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}
