//! The I/O of one client connection: moves bytes between the sockets and the [`Pump`].

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use vigie_traffic::Close;

use crate::output::Output;
use crate::pump::Pump;
use crate::reason::{Metrics, Reason};
use crate::settings::Settings;

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
pub(crate) async fn serve(
    mut connection: Box<Connection>,
    settings: &Settings,
    metrics: &Metrics,
    drain: &CancellationToken,
) {
    let mut timer = pin!(sleep_until(Instant::now() + settings.keep_alive));
    let mut drained = pin!(drain.cancelled());
    let mut is_draining = false;
    loop {
        let step = poll_fn(|cx| {
            if !is_draining && drained.as_mut().poll(cx).is_ready() {
                is_draining = true;
                connection.pump.drain(metrics.now());
            }
            connection.poll(cx, timer.as_mut())
        });
        match step.await {
            Step::Connect => connection.connect(settings).await,
            Step::Done => break,
        }
    }
    if connection.pump.resets_client() {
        // A failure ends the connection in order.
        let _ = connection.client.set_zero_linger();
    }
}

enum Step {
    Connect,
    Done,
}

/// The sockets of a connection, and its state.
pub(crate) struct Connection {
    pump: Pump,
    metrics: Arc<Metrics>,
    client: TcpStream,
    /// Whether our side of the connection is closed.
    client_finished: bool,
    app: Option<TcpStream>,
    app_finished: bool,
}

impl Connection {
    pub(crate) fn new(pump: Pump, client: TcpStream, metrics: &Arc<Metrics>) -> Self {
        Self {
            pump,
            metrics: Arc::clone(metrics),
            client,
            client_finished: false,
            app: None,
            app_finished: false,
        }
    }

    async fn connect(&mut self, settings: &Settings) {
        // Boxed, because it is large and short-lived.
        let connecting = Box::pin(TcpStream::connect(&settings.app));
        let connected = timeout(settings.connect_timeout, connecting).await;
        let now = self.metrics.now();
        match connected {
            Ok(Ok(app)) => {
                // Otherwise a request could wait for the acknowledgement of the previous one; a failure only costs time.
                let _ = app.set_nodelay(true);
                self.app = Some(app);
                self.pump.connected(now);
            }
            Ok(Err(error)) => {
                self.pump.not_connected(now, Reason::ConnectFailed, &error);
            }
            Err(_) => self.pump.not_connected(now, Reason::ConnectTimeout, &""),
        }
    }

    /// Moves bytes until nothing more can be done now.
    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Step> {
        loop {
            let mut progress = self.write_app(cx) | self.write_client(cx);
            if !self.pump.has_app() {
                self.app = None;
            }
            progress |= self.read_app(cx) | self.read_client(cx);
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
            let deadline = self.metrics.instant(deadline);
            // A timer that fires earlier is extended then, so that a request does not cost a timer operation.
            if timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
            match deadline <= Instant::now() {
                true => self.pump.expire(self.metrics.now()),
                false => timer.as_mut().reset(deadline),
            }
        }
    }

    /// Writes what was kept for the app. Returns whether something has changed.
    fn write_app(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(app) = self.app.as_mut().filter(|_| self.pump.writes_app()) else {
            return false;
        };
        let mut progress = false;
        if !self.pump.to_app.is_empty() {
            match write_kept(app, cx, &mut self.pump.to_app) {
                Poll::Pending => return false,
                Poll::Ready(Ok(())) => self.pump.wrote(self.metrics.now()),
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

    fn write_client(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        if !self.pump.to_client.is_empty() {
            let now = self.metrics.now();
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

    fn read_app(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(app) = self.app.as_ref().filter(|_| self.pump.reads_app()) else {
            return false;
        };
        BUFFERS.with_borrow_mut(|Buffers { read, copied }| {
            let Poll::Ready(result) = read_some(app, cx, read) else {
                return false;
            };
            let now = self.metrics.now();
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

    fn read_client(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.pump.reads_client() {
            return false;
        }
        BUFFERS.with_borrow_mut(|Buffers { read, copied }| {
            let Poll::Ready(result) = read_some(&self.client, cx, read) else {
                return false;
            };
            let now = self.metrics.now();
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

fn read_some(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(cx))?;
        match stream.try_read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => return Poll::Ready(result),
        }
    }
}

/// Writes kept bytes. Their memory is released when all are written.
fn write_kept(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    kept: &mut Vec<u8>,
) -> Poll<io::Result<()>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match stream.try_write(kept) {
            Ok(written) if written == kept.len() => *kept = Vec::new(),
            Ok(written) => drop(kept.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Poll::Ready(Err(error)),
        }
        return Poll::Ready(Ok(()));
    }
}

/// Writes bytes, and keeps what the other side does not accept.
fn write_or_keep(stream: &TcpStream, bytes: &[u8], kept: &mut Vec<u8>) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut written = 0;
    if kept.is_empty() {
        written = match stream.try_write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            result => result?,
        };
    }
    kept.extend_from_slice(&bytes[written..]);
    Ok(())
}

/// Closes our side of a connection. It fails if the other side has reset it, which a read reports.
fn finish(stream: &mut TcpStream, cx: &mut Context<'_>) {
    let _ = Pin::new(stream).poll_shutdown(cx);
}
