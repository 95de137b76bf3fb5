//! A proxy before a real Redis that replaces the replies to one command.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{State, Switch};
use crate::Error;

/// A command by its name, with the subcommand where it has one (`CLIENT LIST`), and what is sent instead of its replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// In upper case.
    pub command: String,
    /// One whole RESP value; if it is empty, the connection is closed instead.
    pub reply: Vec<u8>,
}

/// Forwards to a Redis server, value by value; everything but the replies that are replaced passes unchanged.
pub struct RedisProxy {
    switch: Switch<Option<Replacement>>,
    commands: Arc<AtomicUsize>,
}

impl RedisProxy {
    /// Starts on a free port, without a replacement.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(target: SocketAddr) -> Result<Self, Error> {
        let commands = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&commands);
        let handle = move |stream, state| forward(stream, target, state, Arc::clone(&counter));
        let switch = Switch::start(None, handle).await?;
        Ok(Self { switch, commands })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.switch.addr
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.switch.connections()
    }

    /// How many commands it has forwarded so far.
    pub fn commands(&self) -> usize {
        self.commands.load(SeqCst)
    }

    /// Replaces the replies to commands that are sent from now on.
    pub async fn set(&self, replacement: Option<Replacement>) {
        self.switch.set(replacement).await;
    }
}

impl State for Option<Replacement> {
    fn refuses(&self) -> bool {
        false
    }

    fn drops_open_connections(&self) -> bool {
        false
    }
}

async fn forward(
    client: TcpStream,
    target: SocketAddr,
    state: watch::Receiver<Option<Replacement>>,
    commands: Arc<AtomicUsize>,
) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let _ = pass(client, server, state, &commands).await;
}

async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    state: watch::Receiver<Option<Replacement>>,
    commands: &AtomicUsize,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut said) = (Vec::new(), Vec::new());
    // What stands instead of each reply to come.
    let mut expected = VecDeque::new();
    let (mut client_reads, mut client_writes) = client.split();
    let (mut server_reads, mut server_writes) = server.split();
    loop {
        tokio::select! {
            count = client_reads.read_buf(&mut asked) => {
                if count? == 0 {
                    return Ok(());
                }
                let mut sent = 0;
                while let Some(length) = length(&asked[sent..]) {
                    let command = &asked[sent..sent + length];
                    let state = state.borrow();
                    let replacement = state.as_ref().filter(|replacement| is(command, &replacement.command));
                    if replacement.is_some_and(|replacement| replacement.reply.is_empty()) {
                        return Ok(());
                    }
                    expected.push_back(replacement.map(|replacement| replacement.reply.clone()));
                    commands.fetch_add(1, SeqCst);
                    sent += length;
                }
                server_writes.write_all(&asked[..sent]).await?;
                asked.drain(..sent);
            }
            count = server_reads.read_buf(&mut said) => {
                if count? == 0 {
                    return Ok(());
                }
                let (mut taken, mut replies) = (0, Vec::new());
                while let Some(length) = length(&said[taken..]) {
                    let reply = &said[taken..taken + length];
                    // What is pushed replies to nothing.
                    let replacement = match reply.first() {
                        Some(b'>') => None,
                        _ => expected.pop_front().flatten(),
                    };
                    replies.extend_from_slice(replacement.as_deref().unwrap_or(reply));
                    taken += length;
                }
                client_writes.write_all(&replies).await?;
                said.drain(..taken);
            }
        }
    }
}

/// The length of the RESP value that begins here; `None`: it is not complete yet.
fn length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")? + 2;
    let number = || {
        std::str::from_utf8(&bytes[1..end - 2])
            .ok()?
            .parse::<i64>()
            .ok()
    };
    let values = match bytes.first()? {
        b'$' | b'!' | b'=' => {
            let length = match number() {
                Some(length @ 0..) => end + length as usize + 2,
                _ => end,
            };
            return (bytes.len() >= length).then_some(length);
        }
        b'*' | b'~' | b'>' => number().unwrap_or(0),
        b'%' => 2 * number().unwrap_or(0),
        _ => 0,
    };
    let mut length_so_far = end;
    for _ in 0..values {
        length_so_far += length(&bytes[length_so_far..])?;
    }
    Some(length_so_far)
}

/// Whether a command in RESP has this name.
fn is(command: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(command).to_uppercase();
    let mut words = text.split("\r\n").skip(2).step_by(2);
    name.split(' ').all(|part| words.next() == Some(part))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_have_a_length() {
        for (value, whole) in [
            ("+OK\r\n", true),
            ("$3\r\nabc\r\n", true),
            ("$-1\r\n", true),
            ("$3\r\nab", false),
            ("*2\r\n:1\r\n*1\r\n$0\r\n\r\n", true),
            ("*2\r\n:1\r\n", false),
            ("%1\r\n+a\r\n_\r\n", true),
        ] {
            let expected = whole.then_some(value.len());
            assert_eq!(length(value.as_bytes()), expected, "{value:?}");
        }
        let list = b"*2\r\n$6\r\nclient\r\n$4\r\nLIST\r\n";
        assert!(is(list, "CLIENT LIST") && is(list, "CLIENT") && !is(list, "LIST"));
    }

    #[tokio::test]
    async fn the_replies_to_one_command_are_replaced() {
        let redis = crate::Redis::start().await.unwrap();
        let target = SocketAddr::from(([127, 0, 0, 1], redis.port()));
        let proxy = RedisProxy::start(target).await.unwrap();
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        let mut ask = async |expected: &[u8]| {
            stream
                .write_all(b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nLLEN\r\n$1\r\nk\r\n")
                .await
                .unwrap();
            let mut answer = vec![0; expected.len()];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, expected);
        };
        ask(b"+PONG\r\n:0\r\n").await;
        let reply = b"*0\r\n".to_vec();
        let command = "LLEN".to_owned();
        proxy.set(Some(Replacement { command, reply })).await;
        ask(b"+PONG\r\n*0\r\n").await;
        proxy.set(None).await;
        ask(b"+PONG\r\n:0\r\n").await;
        assert_eq!((proxy.connections(), proxy.commands()), (1, 6));
    }
}
