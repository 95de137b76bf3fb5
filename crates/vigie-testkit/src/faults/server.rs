//! A server with one fault.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{State, Switch};
use crate::Error;

/// The fault. All but the first four wait for the first bytes of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Accepts, reads and never answers.
    Hang,
    /// No listener: the system refuses the connection.
    Refuse,
    /// Accepts and closes immediately.
    Close,
    /// Accepts and sends random bytes without a request.
    Garbage,
    /// Answers each request correctly.
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

/// A complete HTTP/1.1 response, for the faults with an answer.
pub fn http_answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A server whose fault can be changed.
pub struct FaultServer(Switch<Fault>);

impl FaultServer {
    /// Starts on a free port.
    ///
    /// # Errors
    /// If the port is not available.
    pub async fn start(fault: Fault) -> Result<Self, Error> {
        let handle = |stream, fault: watch::Receiver<Fault>| {
            let fault = fault.borrow().clone();
            misbehave(stream, fault)
        };
        Switch::start(fault, handle).await.map(Self)
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// The number of accepted connections.
    pub fn connections(&self) -> usize {
        self.0.connections()
    }

    /// Changes the fault, which is in effect when this returns. Open connections are closed, so that each client gets
    /// the new one.
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
    // A client that disconnects is not an error.
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
            // Give unread bytes time to arrive before the reset, which may discard them.
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
    // The client has closed its side and gets no answer.
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

/// Whether the client sent anything before closing.
async fn asked(stream: &mut TcpStream) -> std::io::Result<bool> {
    let mut sink = [0; 65_536];
    Ok(stream.read(&mut sink).await? > 0)
}

/// A fixed sequence of bytes of all values, without a line end for a long time.
fn garbage() -> Vec<u8> {
    (0..4096_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .map(|byte| if byte == b'\n' { 0xff } else { byte })
        .collect()
}
