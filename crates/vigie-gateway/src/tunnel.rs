//! The tunnel after an upgrade: forwards bytes in both directions, unchanged.
//!
//! Most WebSockets are idle most of the time, so none has its own buffer: bytes are read into one that the thread
//! shares, and only bytes that the other side does not accept immediately are stored.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::client::ClientStream;
use crate::engineio::TunnelTap;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 * 1024].into_boxed_slice());
}

/// One side of an upgraded connection: its stream, and the bytes read together with the head.
struct Side {
    stream: TcpStream,
    early: Vec<u8>,
}

/// Forwards bytes until both sides have closed, one fails, or one does not accept bytes for `write_timeout`.
pub(crate) async fn run(
    client: OnUpgrade,
    app: OnUpgrade,
    tap: Option<TunnelTap>,
    write_timeout: Duration,
) {
    let (Ok(client), Ok(app)) = tokio::join!(client, app) else {
        return;
    };
    let (Some(client), Some(app)) = (client_side(client), app_side(app)) else {
        return;
    };
    let tap = tap.map(Mutex::new);
    let (client_read, client_write) = client.stream.into_split();
    let (app_read, app_write) = app.stream.into_split();
    let up = async {
        let tap = |bytes: &[u8]| {
            if let Some(tap) = &tap {
                tap.lock().from_client(bytes);
            }
        };
        carry(client_read, app_write, client.early, tap, write_timeout).await
    };
    let down = async {
        let on_bytes = |bytes: &[u8]| {
            if let Some(tap) = &tap {
                tap.lock().from_server(bytes);
            }
        };
        let carried = carry(app_read, client_write, app.early, on_bytes, write_timeout).await;
        if let Some(tap) = &tap {
            tap.lock().server_closed();
        }
        carried
    };
    // An error on either side ends both; dropping the streams closes them.
    let _ = tokio::try_join!(up, down);
}

fn client_side(upgraded: Upgraded) -> Option<Side> {
    let parts = upgraded.downcast::<TokioIo<ClientStream>>().ok()?;
    Some(Side {
        stream: parts.io.into_inner().into_inner(),
        early: parts.read_buf.into(),
    })
}

fn app_side(upgraded: Upgraded) -> Option<Side> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    Some(Side {
        stream: parts.io.into_inner(),
        early: parts.read_buf.into(),
    })
}

async fn carry(
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    early: Vec<u8>,
    tap: impl Fn(&[u8]),
    write_timeout: Duration,
) -> io::Result<()> {
    if !early.is_empty() {
        tap(&early);
        write_rest(&to, &early, write_timeout).await?;
    }
    loop {
        from.readable().await?;
        let step = BUFFER.with_borrow_mut(|buffer| -> io::Result<Option<Vec<u8>>> {
            let read = match from.try_read(buffer) {
                Ok(0) => return Ok(None),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Some(Vec::new())),
                Err(error) => return Err(error),
            };
            let bytes = &buffer[..read];
            tap(bytes);
            let written = match to.try_write(bytes) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            };
            Ok(Some(bytes[written..].to_vec()))
        })?;
        match step {
            Some(rest) if rest.is_empty() => {}
            Some(rest) => write_rest(&to, &rest, write_timeout).await?,
            None => {
                // The other direction may still send.
                return tokio::io::AsyncWriteExt::shutdown(&mut to).await;
            }
        }
    }
}

async fn write_rest(to: &OwnedWriteHalf, mut rest: &[u8], limit: Duration) -> io::Result<()> {
    while !rest.is_empty() {
        timeout(limit, to.writable()).await??;
        match to.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
