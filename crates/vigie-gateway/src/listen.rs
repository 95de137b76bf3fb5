//! The listeners of the threads.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

/// How many connections may wait to be accepted.
pub(crate) const BACKLOG: i32 = 4096;

/// Listens on `address` for this number of threads.
///
/// Several threads listen separately (`SO_REUSEPORT`). This allows other processes of the same user to listen there too,
/// so it is an error if one does already.
///
/// # Errors
/// If the address cannot be used.
pub fn bind_for(address: SocketAddr, threads: usize) -> io::Result<TcpListener> {
    let alone = TcpListener::bind(address)?;
    if threads < 2 {
        return Ok(alone);
    }
    let address = alone.local_addr()?;
    drop(alone);
    bind_shared(address)
}

/// A listener for each of several threads, of which `first` is one.
pub(crate) fn for_threads(first: TcpListener, threads: usize) -> io::Result<Vec<TcpListener>> {
    let address = first.local_addr()?;
    let is_shared = sockopt::socket_reuseport(&first)?;
    let mut listeners = Vec::with_capacity(threads);
    for _ in 1..threads {
        listeners.push(match is_shared {
            true => bind_shared(address)?,
            false => first.try_clone()?,
        });
    }
    listeners.push(first);
    for listener in &listeners {
        listener.set_nonblocking(true)?;
        // Accepted connections inherit it; otherwise small writes wait for acknowledgements.
        sockopt::set_tcp_nodelay(listener, true)?;
        // The standard library's backlog is 128.
        listen(listener, BACKLOG)?;
    }
    Ok(listeners)
}

fn bind_shared(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket: OwnedFd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}
