//! A server with one fault.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{State, Switch};
use crate::Error;

/// How a server misbehaves. All but the first four wait for the client's first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Accepts, reads, never answers.
    Hang,
    /// Nobody listens: the system refuses the connection.
    Refuse,
    /// Accepts and closes at once.
    Close,
    /// Accepts and sends bytes that are of no protocol, without being asked.
    Garbage,
    /// Answers well, every time it is asked.
    Answer(Vec<u8>),
    /// Answers after a delay.
    Late(Duration, Vec<u8>),
    /// Sends the first `n` bytes of the answer and resets the connection (RST).
    ResetAfter(usize, Vec<u8>),
    /// Sends the first `n` bytes of the answer and closes the connection (FIN).
    CloseAfter(usize, Vec<u8>),
    /// Sends the answer byte by byte, with a pause before each.
    Drip(Duration, Vec<u8>),
}

/// A complete HTTP/1.1 answer, for the faults that take one.
pub fn http_answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A server with a fault that can be changed.
pub struct FaultServer(Switch<Fault>);

impl FaultServer {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(fault: Fault) -> Result<Self, Error> {
        let handle = |stream, fault: watch::Receiver<Fault>| {
            let fault = fault.borrow().clone();
            misbehave(stream, fault)
        };
        Switch::start(fault, handle).await.map(Self)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.0.connections()
    }

    /// Changes the fault. Connections that are open are closed, so that every client meets the new one;
    /// when this returns it is in force.
    pub async fn set(&self, fault: Fault) {
        self.0.set(fault).await;
    }
}

impl State for Fault {
    fn refuses(&self) -> bool {
        *self == Self::Refuse
    }

    fn drops_open_connections(&self) -> bool {
        true
    }
}

async fn misbehave(mut stream: TcpStream, fault: Fault) {
    // A client that is gone is no concern of ours.
    let _ = match fault {
        Fault::Refuse | Fault::Close => Ok(()),
        Fault::Hang => hang(&mut stream).await,
        Fault::Garbage => {
            let _ = stream.write_all(&garbage()).await;
            hang(&mut stream).await
        }
        Fault::Answer(answer) => answer_each(&mut stream, Duration::ZERO, &answer).await,
        Fault::Late(delay, answer) => answer_each(&mut stream, delay, &answer).await,
        Fault::ResetAfter(count, answer) => {
            let sent = begin(&mut stream, count, &answer).await;
            // What the client did not yet read of it, a reset may take away: let it arrive.
            sleep(Duration::from_millis(20)).await;
            let _ = stream.set_zero_linger();
            sent
        }
        Fault::CloseAfter(count, answer) => begin(&mut stream, count, &answer).await,
        Fault::Drip(pause, answer) => drip(&mut stream, pause, &answer).await,
    };
}

async fn hang(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut sink = [0; 4096];
    while stream.read(&mut sink).await? > 0 {}
    // The client has said its last word; it still gets no answer.
    std::future::pending().await
}

async fn answer_each(
    stream: &mut TcpStream,
    delay: Duration,
    answer: &[u8],
) -> std::io::Result<()> {
    while asked(stream).await? {
        sleep(delay).await;
        stream.write_all(answer).await?;
    }
    Ok(())
}

async fn begin(stream: &mut TcpStream, count: usize, answer: &[u8]) -> std::io::Result<()> {
    if asked(stream).await? {
        stream.write_all(&answer[..count.min(answer.len())]).await?;
    }
    Ok(())
}

async fn drip(stream: &mut TcpStream, pause: Duration, answer: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    while asked(stream).await? {
        for byte in answer {
            sleep(pause).await;
            stream.write_all(&[*byte]).await?;
        }
    }
    Ok(())
}

/// Whether the client sent anything before it closed.
async fn asked(stream: &mut TcpStream) -> std::io::Result<bool> {
    let mut sink = [0; 65_536];
    Ok(stream.read(&mut sink).await? > 0)
}

/// Always the same bytes, of every value, without a line end for a long while.
fn garbage() -> Vec<u8> {
    (0..4096_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .map(|byte| if byte == b'\n' { 0xff } else { byte })
        .collect()
}
