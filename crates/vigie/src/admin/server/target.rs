//! Request targets with bytes that RFC 3986 does not allow.
//!
//! Prometheus accepts `GET /api/v1/query?query=up{job="api"}` without encoding, so its clients send it that way; hyper
//! rejects the request before any handler runs. [`Lenient`] sits between the connection and hyper and percent-encodes
//! such bytes in the target of every request. To find the targets it follows the framing of the requests. Where the
//! framing is ambiguous, the rest of the connection passes unchanged, so that only hyper interprets it.

mod requests;
#[cfg(test)]
mod tests;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use requests::Requests;

/// Bytes read from the connection at a time.
const READ: usize = 4 << 10;

/// A connection that encodes request targets for hyper.
pub(super) struct Lenient<S> {
    stream: S,
    requests: Requests,
    /// Bytes that hyper has not read yet, from `given` on; at most three for each of [`READ`].
    ready: Vec<u8>,
    given: usize,
}

impl<S> Lenient<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            requests: Requests::default(),
            ready: Vec::new(),
            given: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.given == this.ready.len() {
            let mut bytes = [0; READ];
            let mut bytes = ReadBuf::new(&mut bytes);
            std::task::ready!(Pin::new(&mut this.stream).poll_read(context, &mut bytes))?;
            this.ready.clear();
            this.given = 0;
            this.requests.encode(bytes.filled(), &mut this.ready);
        }
        let rest = &this.ready[this.given..];
        let taken = rest.len().min(out.remaining());
        out.put_slice(&rest[..taken]);
        this.given += taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
