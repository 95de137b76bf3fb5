//! A connection's stream: reports traffic to its [`Activity`], and fails when a client is too slow.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::Activity;
use crate::admin::refusals::Refusals;

/// A stream with the deadlines of its [`Activity`].
pub(super) struct Timed<S> {
    stream: S,
    activity: Arc<Activity>,
    slow: Slow,
    reading: Timer,
    writing: Timer,
    /// The deadline for the client to read more; `None` while nothing is pending.
    write_deadline: Option<Instant>,
}

/// Counters for clients that are too slow.
#[derive(Clone)]
pub(super) struct Slow {
    /// Clients that do not complete a request head.
    pub(super) heads: Refusals,
    /// Clients that do not read a response.
    pub(super) readers: Refusals,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, slow: Slow) -> Self {
        Self {
            stream,
            activity,
            slow,
            reading: Timer::default(),
            writing: Timer::default(),
            write_deadline: None,
        }
    }

    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let write = self.activity.deadlines().write;
        let deadline = *self
            .write_deadline
            .get_or_insert_with(|| Instant::now() + write);
        ready!(self.writing.poll(context, deadline));
        self.slow.readers.note();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = out.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, out) {
            if out.filled().len() > before {
                this.activity.received();
            }
            return Poll::Ready(read);
        }
        let Some(deadline) = this.activity.read_deadline() else {
            return Poll::Pending;
        };
        ready!(this.reading.poll(context, deadline));
        if this.activity.owes_head() {
            this.slow.heads.note();
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes only once its own buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.activity.flushed();
        // The task must wake up at the new deadline, even if it does not read before.
        if let Some(deadline) = this.activity.read_deadline() {
            let _ = this.reading.poll(context, deadline);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A timer that is reset when its deadline moves.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    fn poll(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(context)
    }
}
