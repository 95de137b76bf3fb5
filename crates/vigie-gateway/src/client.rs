//! A client's connection, with the deadlines that HTTP itself does not define.
//!
//! A client must send a request's head in time (slowloris), must not stay idle forever between requests, and must read
//! its responses. One timer per connection enforces all three: it fires every few seconds and compares times, so that
//! a request costs no timer operation.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// The phase of a connection, shared between its stream and its requests.
#[derive(Clone, Debug)]
pub(crate) struct Phase(Arc<AtomicU8>);

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const REQUEST: u8 = 2;

impl Phase {
    /// A new connection must send a head immediately.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(HEAD)))
    }

    /// Records that a request's head was read.
    pub(crate) fn request(&self) {
        self.0.store(REQUEST, Relaxed);
    }

    /// Records that a response was sent.
    pub(crate) fn idle(&self) {
        self.0.store(IDLE, Relaxed);
    }
}

/// The deadlines of a client's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

impl Deadlines {
    fn shortest(&self) -> Duration {
        self.head.min(self.idle).min(self.write)
    }
}

/// A client's stream that fails with `TimedOut` if the client exceeds a deadline.
pub(crate) struct ClientStream {
    stream: TcpStream,
    phase: Phase,
    deadlines: Deadlines,
    /// The start of the current phase, and the phase.
    since: (u8, Instant),
    write_blocked: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl ClientStream {
    pub(crate) fn new(stream: TcpStream, phase: Phase, deadlines: Deadlines) -> Self {
        let now = Instant::now();
        Self {
            stream,
            phase,
            deadlines,
            since: (HEAD, now),
            write_blocked: None,
            timer: Box::pin(tokio::time::sleep_until(now + deadlines.shortest())),
        }
    }

    /// The stream without deadlines, for an upgrade: the tunnel has its own.
    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// Checks the deadlines; called while the stream is idle.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            let now = Instant::now();
            let phase = self.phase.0.load(Relaxed);
            if self.since.0 != phase {
                self.since = (phase, now);
            }
            let read_deadline = match phase {
                HEAD => Some(self.since.1 + self.deadlines.head),
                IDLE => Some(self.since.1 + self.deadlines.idle),
                _ => None,
            };
            let write_deadline = self.write_blocked.map(|since| since + self.deadlines.write);
            let passed = [read_deadline, write_deadline].into_iter().flatten();
            if passed.into_iter().any(|deadline| deadline <= now) {
                return Err(ErrorKind::TimedOut.into());
            }
            // A timeout is detected at most a quarter of the shortest deadline late.
            let next = now + self.deadlines.shortest() / 4;
            self.timer.as_mut().reset(next);
        }
    }

    fn wrote<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.write_blocked = None;
            return poll;
        }
        self.write_blocked.get_or_insert_with(Instant::now);
        self.check(cx)?;
        Poll::Pending
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                if buf.filled().len() > before && this.phase.0.load(Relaxed) == IDLE {
                    this.phase.0.store(HEAD, Relaxed);
                    this.since = (HEAD, Instant::now());
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.check(cx)?;
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
