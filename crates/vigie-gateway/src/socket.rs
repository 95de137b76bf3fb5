//! Reading and writing of sockets without waiting.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;

/// Reads once. Unlike `try_read`, this needs no second call that finds nothing: a buffer that is not filled shows that all was
/// read.
pub(crate) fn read_some(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// Whether a connection failed for a reason that is not the app's.
pub(crate) fn is_own(error: &io::Error) -> bool {
    let own = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        Errno::ADDRNOTAVAIL,
    ];
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| own.contains(&errno))
}

/// Writes kept bytes. Their memory is released when all are written.
pub(crate) fn write_kept(
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
pub(crate) fn write_or_keep(
    stream: &TcpStream,
    bytes: &[u8],
    kept: &mut Vec<u8>,
) -> io::Result<()> {
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
pub(crate) fn finish(stream: &mut TcpStream, cx: &mut Context<'_>) {
    let _ = Pin::new(stream).poll_shutdown(cx);
}
