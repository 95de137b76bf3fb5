//! A stream that fails if the server does not answer a request.
//!
//! The task of a connection waits for pending responses even after its last handle is dropped. If the server hangs,
//! task and socket would remain until the operating system closes the connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Longer than any blocking command.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct Patience<S> {
    stream: S,
    /// Expires when the first request since the last response has waited too long.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            waiting: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            self.waiting = None;
            return Poll::Ready(read);
        }
        match &mut self.waiting {
            Some(waiting) => {
                ready!(waiting.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            None => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.waiting.get_or_insert_with(|| Box::pin(sleep(LIMIT)));
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn only_an_open_request_waits_for_a_limited_time() {
        let (near, mut server) = duplex(64);
        let mut stream = Patience::new(near);
        let idle = timeout(100 * LIMIT, stream.read_u8()).await;
        assert!(idle.is_err(), "an idle connection ended");
        stream.write_all(b"PING").await.unwrap();
        server.write_u8(b'+').await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'+');
        let answered = timeout(100 * LIMIT, stream.read_u8()).await;
        assert!(answered.is_err(), "an idle connection ended");

        stream.write_all(b"PING").await.unwrap();
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
