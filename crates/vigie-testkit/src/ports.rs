//! Free ports.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

/// Below the range of outgoing connections on Linux (32768–60999), so that the port of a killed server stays free
/// until it restarts.
const FIRST: u16 = 20_000;
const BLOCKS: u16 = 240;
const PORTS_PER_BLOCK: u16 = 50;

/// Ports of which no other process of these tests takes one while this process lives. Otherwise another test program
/// could take the port of a killed server.
struct Block {
    left: Range<u16>,
    _lock: File,
}

/// A free loopback port; no process of these tests returns it while this one lives, and this one only once.
///
/// # Panics
/// If no port of the range is free.
pub fn free() -> u16 {
    static BLOCKS_HELD: Mutex<Vec<Block>> = Mutex::new(Vec::new());
    let mut held = BLOCKS_HELD.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let left = held.last_mut().map(|block| &mut block.left);
        // A program that is not one of these tests may use a port.
        if let Some(port) = left.into_iter().flatten().find(|port| is_free(*port)) {
            return port;
        }
        match lock_another() {
            Some(block) => held.push(block),
            None => panic!("no free port from {FIRST} on"),
        }
    }
}

fn is_free(port: u16) -> bool {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    bound.map(close).is_ok()
}

/// Stops listening at once. A process that another thread starts has a copy of the descriptor until it executes its program,
/// and the socket would listen until then.
pub(crate) fn close(listener: TcpListener) {
    let socket = TcpStream::from(OwnedFd::from(listener));
    // It is closed in any case.
    let _ = socket.shutdown(Shutdown::Both);
}

fn lock_another() -> Option<Block> {
    // Different processes begin at different blocks, so that a port is not reused soon.
    let first = (std::process::id() % u32::from(BLOCKS)) as u16;
    let blocks = (0..BLOCKS).map(|step| (first + step) % BLOCKS);
    blocks.into_iter().find_map(lock)
}

/// The lock ends with the process, also if that is killed.
fn lock(block: u16) -> Option<Block> {
    let path = std::env::temp_dir().join(format!("vigie-ports-{block}.lock"));
    let mut options = OpenOptions::new();
    // A file of another user cannot be opened: its ports are not used.
    let file = options.create(true).truncate(false).write(true).open(path);
    let lock = file.ok()?;
    lock.try_lock().ok()?;
    let start = FIRST + block * PORTS_PER_BLOCK;
    Some(Block {
        left: start..start + PORTS_PER_BLOCK,
        _lock: lock,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ports_are_free_and_never_the_same() {
        let some = 2 * usize::from(PORTS_PER_BLOCK);
        let ports: HashSet<u16> = (0..some).map(|_| free()).collect();
        assert_eq!(ports.len(), some);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[test]
    fn a_block_is_locked_once() {
        let held = lock_another().unwrap();
        let number = (held.left.start - FIRST) / PORTS_PER_BLOCK;
        assert!(lock(number).is_none());
    }
}
