//! A server in memory, whose packets are chosen by bytes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Postgres,
    MySql,
}

/// The type and the beginning of the content of PostgreSQL's messages.
const MESSAGES: [&[u8]; 16] = [
    b"R\0\0\0\0",
    b"R\0\0\0\x03",
    b"R\0\0\0\x05salt",
    b"R\0\0\0\x0aSCRAM-SHA-256\0\0",
    b"R\0\0\0\x0cv=AAAA",
    b"R\0\0\0",
    b"ZI",
    b"ESERROR\0C28000\0Mno\0\0",
    b"E",
    b"D\0\x01\0\0\0\x011",
    b"D\0\x02",
    b"T\0\x01",
    b"S",
    b"N",
    b"C",
    b"A",
];

/// The beginnings of MySQL's packets. The first is a greeting up to the name of the plugin.
const PACKETS: [&[u8]; 12] = [
    b"\x0a8.0\0\x01\0\0\0challeng\0\0\xaa\x08\x02\0\0\x08\x15\0\0\0\0\0\0\0\0\0\0on to answer\0",
    b"\x0a",
    b"\0\0\0\x02\0\0\0",
    b"\x01\x03",
    b"\x01\x04",
    b"\xfe",
    b"\xfemysql_native_password\0",
    b"\xfecaching_sha2_password\0",
    b"\xfesha256_password\0",
    b"\xfe\0\0\x02\0",
    b"\xff\x15\x04#28000",
    b"\xff",
];

/// The rest of a SCRAM challenge, after the nonce.
const CHALLENGES: [&str; 4] = [
    "x,s=c2FsdA==,i=2",
    "x,s=c2FsdA==,i=4294967295",
    ",s=,i=0",
    ",s=*,i=99999999999999999999",
];

/// The bytes that the server sends. They are made when the client reads, and depend on the bytes that it wrote.
pub(super) struct Script {
    engine: Engine,
    choices: Vec<u8>,
    chosen: usize,
    unread: Vec<u8>,
    /// The number of MySQL's next packet.
    number: u8,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Script {
    pub(super) fn new(engine: Engine, choices: &[u8]) -> Self {
        Self {
            engine,
            choices: choices.to_vec(),
            chosen: 0,
            unread: Vec::new(),
            number: 0,
            written: Arc::default(),
        }
    }

    /// Everything that the client wrote.
    pub(super) fn written(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.written)
    }

    fn choose(&mut self) -> Option<u8> {
        let choice = self.choices.get(self.chosen).copied();
        self.chosen += 1;
        choice
    }

    fn text(&mut self) -> Vec<u8> {
        let length = usize::from(self.choose().unwrap_or_default());
        let rest = self.choices.get(self.chosen..).unwrap_or_default();
        let text = rest[..length.min(rest.len())].to_vec();
        self.chosen += text.len();
        text
    }

    /// The next packet; `None` at the end.
    fn packet(&mut self) -> Option<Vec<u8>> {
        let choice = self.choose()?;
        let at = usize::from(choice);
        let (begin, number) = match self.engine {
            Engine::Postgres if at == MESSAGES.len() => return Some(self.challenge()),
            Engine::Postgres => (MESSAGES.get(at).copied(), 0),
            Engine::MySql => (PACKETS.get(at).copied(), self.number),
        };
        let Some(begin) = begin else {
            return Some(self.text());
        };
        let content = [begin, &self.text()].concat();
        Some(match self.engine {
            Engine::Postgres => message(&content),
            Engine::MySql => {
                self.number = number.wrapping_add(1);
                let length = u32::try_from(content.len()).unwrap_or_default();
                let [a, b, c, _] = length.to_le_bytes();
                [&[a, b, c, number], content.as_slice()].concat()
            }
        })
    }

    /// A SCRAM challenge with the client's nonce, which no other bytes can have.
    fn challenge(&mut self) -> Vec<u8> {
        let written = self.written.lock().clone();
        let mut parts = written.rsplit(|byte| *byte == b',');
        let nonce = parts.find_map(|part| part.strip_prefix(b"r="));
        let nonce = nonce.unwrap_or_default().to_vec();
        let rest = usize::from(self.choose().unwrap_or_default()) % CHALLENGES.len();
        let rest = CHALLENGES[rest].as_bytes();
        message(&[b"R\0\0\0\x0br=", nonce.as_slice(), rest].concat())
    }
}

/// The length of a message counts itself, but not the type.
fn message(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 3).unwrap_or_default();
    [&content[..1], &length.to_be_bytes(), &content[1..]].concat()
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match self.packet() {
                Some(packet) => self.unread = packet,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = buffer.remaining().min(self.unread.len());
        let rest = self.unread.split_off(count);
        let read = std::mem::replace(&mut self.unread, rest);
        buffer.put_slice(&read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let (Engine::MySql, Some(number)) = (self.engine, bytes.get(3)) {
            self.number = number.wrapping_add(1);
        }
        self.written.lock().extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
