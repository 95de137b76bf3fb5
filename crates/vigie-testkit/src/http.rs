//! A raw HTTP/1.1 client for tests.
//!
//! It sends the given bytes unchanged and shares no code with the tested servers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Error, SOON};

/// The maximum size of a body.
const BODY: u64 = 64 << 20;

/// A response, with a decoded body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header with that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn json(&self) -> Result<serde_json::Value, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::protocol("response", format!("{error}: {}", self.text())))
    }
}

/// GET on a new connection.
///
/// # Errors
/// If there is no complete response in time.
pub async fn get(addr: SocketAddr, path: &str) -> Result<Response, Error> {
    request(addr, "GET", path, &[], b"").await
}

/// Any request on a new connection.
///
/// # Errors
/// If there is no complete response in time.
pub async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, Error> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    let mut connection = Connection::open(addr).await?;
    connection.send(&bytes).await?;
    if method == "HEAD" {
        return connection.head_response().await;
    }
    connection.response().await
}

/// A persistent connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
    deadline: Duration,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If the connection is refused.
    pub async fn open(addr: SocketAddr) -> Result<Self, Error> {
        let connecting = TcpStream::connect(addr);
        let stream = within(SOON, "connection", connecting).await?;
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream: BufReader::new(stream),
            deadline: SOON,
        })
    }

    /// Changes the timeout of each further step.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The underlying stream, for other protocols.
    pub fn stream(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }

    /// Sends these bytes unchanged.
    ///
    /// # Errors
    /// If the peer does not accept them.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        within(self.deadline, "room to send", self.stream.write_all(bytes)).await
    }

    /// Reads one response including the body; interim responses (1xx) except 101 are skipped.
    ///
    /// # Errors
    /// If it is not complete in time, or is not HTTP/1.1.
    pub async fn response(&mut self) -> Result<Response, Error> {
        let deadline = self.deadline;
        late(deadline, read_response(&mut self.stream, true)).await
    }

    /// Reads a response without a body, whatever its headers: of a HEAD request.
    ///
    /// # Errors
    /// As [`Connection::response`].
    pub async fn head_response(&mut self) -> Result<Response, Error> {
        let deadline = self.deadline;
        late(deadline, read_response(&mut self.stream, false)).await
    }

    /// Waits until the peer closes without sending anything.
    ///
    /// # Errors
    /// If it sends something, or does nothing until the timeout.
    pub async fn closed(&mut self) -> Result<(), Error> {
        match timeout(self.deadline, self.stream.read_u8()).await {
            Ok(Err(_)) => Ok(()),
            Ok(Ok(byte)) => Err(Error::protocol(
                "http",
                format!("byte {byte:#x} after the end"),
            )),
            Err(_) => Err(too_late("end of the connection", self.deadline)),
        }
    }
}

async fn read_response(stream: &mut BufReader<TcpStream>, body: bool) -> Result<Response, Error> {
    loop {
        let mut response = read_head(stream).await?;
        match response.status {
            100 | 102..=199 => continue,
            101 | 204 | 304 => return Ok(response),
            _ if !body => return Ok(response),
            _ => {}
        }
        let chunked = response.header("transfer-encoding") == Some("chunked");
        let length = response.header("content-length").map(str::parse::<u64>);
        response.body = match (chunked, length) {
            (true, None) => read_chunks(stream).await?,
            (false, Some(Ok(length))) if length <= BODY => read_exactly(stream, length).await?,
            (false, None) => {
                let mut bytes = Vec::new();
                let all = stream.take(BODY).read_to_end(&mut bytes).await;
                all.map_err(Error::io("reading the body"))?;
                bytes
            }
            _ => {
                return Err(Error::protocol(
                    "http",
                    format!("bad framing: {response:?}"),
                ));
            }
        };
        return Ok(response);
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Result<Response, Error> {
    let line = read_line(stream).await?;
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .ok_or_else(|| Error::protocol("http", format!("not a status line: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        if line.is_empty() {
            return Ok(Response {
                status,
                headers,
                body: Vec::new(),
            });
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(Error::protocol("http", format!("not a header: {line:?}")));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16)
            .map_err(|_| Error::protocol("http", format!("not a chunk size: {line:?}")))?;
        if size == 0 {
            while !read_line(stream).await?.is_empty() {} // trailers
            return Ok(body);
        }
        if body.len() as u64 + size > BODY {
            return Err(Error::protocol("http", "the body is too long"));
        }
        body.extend(read_exactly(stream, size).await?);
        if !read_line(stream).await?.is_empty() {
            return Err(Error::protocol("http", "a chunk is longer than it said"));
        }
    }
}

async fn read_exactly(stream: &mut BufReader<TcpStream>, count: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; count as usize];
    let read = stream.read_exact(&mut bytes).await;
    read.map_err(Error::io("the body is cut short"))?;
    Ok(bytes)
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Result<String, Error> {
    let mut line = Vec::new();
    let read = stream.take(65_536).read_until(b'\n', &mut line).await;
    read.map_err(Error::io("reading the head"))?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
        None => {
            let seen = String::from_utf8_lossy(&line);
            Err(Error::protocol(
                "http",
                format!("the head is cut short at {seen:?}"),
            ))
        }
    }
}

async fn within<T>(
    deadline: Duration,
    what: &'static str,
    future: impl Future<Output = std::io::Result<T>>,
) -> Result<T, Error> {
    let done = timeout(deadline, future).await;
    done.map_err(|_| too_late(what, deadline))?
        .map_err(Error::io(what))
}

async fn late<T>(
    deadline: Duration,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let done = timeout(deadline, future).await;
    done.map_err(|_| too_late("complete response", deadline))?
}

fn too_late(what: &'static str, within: Duration) -> Error {
    Error::Late {
        name: "http".into(),
        what,
        within,
        tail: String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Fault, FaultServer};

    async fn answer(bytes: &str) -> Result<Response, Error> {
        let fault = Fault::CloseAfter(usize::MAX, bytes.into());
        let server = FaultServer::start(fault).await.unwrap();
        get(server.addr(), "/").await
    }

    #[tokio::test]
    async fn reads_every_framing() {
        for (framing, body) in [
            ("content-length: 3\r\n\r\n", "abc"),
            (
                "Transfer-Encoding: chunked\r\n\r\n",
                "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
            ),
            ("\r\n", "abc"),
        ] {
            let response = answer(&format!("HTTP/1.1 200 OK\r\n{framing}{body}"))
                .await
                .unwrap();
            assert_eq!((response.status, response.text()), (200, "abc".into()));
        }
        let interim =
            answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\nX-A: b\r\n\r\n").await;
        assert_eq!(interim.unwrap().header("x-a"), Some("b"));
    }

    #[tokio::test]
    async fn refuses_what_is_cut_short_or_badly_framed() {
        for bytes in [
            "",
            "HTTP/1.1 20",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
        ] {
            assert!(answer(bytes).await.is_err(), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_silent_server_is_late() {
        let server = FaultServer::start(Fault::Hang).await.unwrap();
        let connection = Connection::open(server.addr()).await.unwrap();
        let mut connection = connection.deadline(Duration::from_millis(50));
        connection.send(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let error = connection.response().await.unwrap_err();
        assert!(matches!(error, Error::Late { .. }));
        assert!(connection.closed().await.is_err());
        server.set(Fault::Close).await;
        connection.closed().await.unwrap();
    }
}
