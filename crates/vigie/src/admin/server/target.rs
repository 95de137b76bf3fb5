//! Request targets with bytes that RFC 3986 does not allow.
//!
//! Prometheus accepts `GET /api/v1/query?query=up{job="api"}` without encoding, so its clients send it that way; hyper
//! rejects the request before any handler runs. [`Lenient`] sits between the connection and hyper and percent-encodes
//! such bytes in the target of every request. To find the targets it follows the framing of the requests. Where the
//! framing is ambiguous, the rest of the connection passes unchanged, so that only hyper interprets it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read from the connection at a time.
const READ: usize = 4 << 10;
/// The longest header line about framing that is parsed; real ones are much shorter.
const LONGEST_LINE: usize = 256;

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

/// The parser of a connection's requests.
#[derive(Default)]
struct Requests {
    at: Place,
    /// The current line of header fields or of a chunk size; at most [`LONGEST_LINE`] and one bytes.
    line: Vec<u8>,
    body: Body,
}

/// The position of the next byte within a request.
#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    /// Before the method: empty lines may precede it.
    #[default]
    Start,
    Method,
    Target,
    Version,
    Fields,
    /// In the body, or in the data of a chunk with its line break.
    Data {
        left: u64,
        chunked: bool,
    },
    ChunkSize,
    Trailers,
    /// The framing is no longer followed.
    Unknown,
}

/// The body that the header fields announce.
#[derive(Clone, Copy, Default, PartialEq)]
enum Body {
    #[default]
    None,
    Length(u64),
    Chunked,
}

impl Requests {
    /// Appends the next bytes of the connection to `out`, with targets encoded.
    fn encode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.at {
                Place::Unknown => return out.extend_from_slice(bytes),
                Place::Data { left, chunked } => {
                    let taken =
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let (data, rest) = bytes.split_at(taken);
                    out.extend_from_slice(data);
                    bytes = rest;
                    *left -= taken as u64;
                    if *left == 0 {
                        self.at = if *chunked {
                            Place::ChunkSize
                        } else {
                            Place::Start
                        };
                    }
                    continue;
                }
                Place::Target if needs_encoding(byte) => {
                    const HEX: &[u8; 16] = b"0123456789ABCDEF";
                    let [high, low] = [byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]);
                    out.extend_from_slice(&[b'%', high, low]);
                }
                _ => {
                    out.push(byte);
                    self.at = self.after(byte);
                }
            }
            bytes = rest;
        }
    }

    /// The position after a byte outside of data.
    fn after(&mut self, byte: u8) -> Place {
        match (self.at, byte) {
            (Place::Start, b'\r' | b'\n') => Place::Start,
            (Place::Start, _) => Place::Method,
            (Place::Method, b' ') => Place::Target,
            (Place::Target, b' ') => Place::Version,
            (Place::Method | Place::Target, b'\n') => Place::Unknown,
            (Place::Version, b'\n') => {
                self.body = Body::None;
                Place::Fields
            }
            (Place::Fields | Place::ChunkSize | Place::Trailers, b'\n') => {
                let line = std::mem::take(&mut self.line);
                let place = self.after_line(line.strip_suffix(b"\r").unwrap_or(&line));
                self.line = line;
                self.line.clear();
                place.unwrap_or(Place::Unknown)
            }
            (Place::Fields | Place::ChunkSize | Place::Trailers, _) => {
                if self.line.len() <= LONGEST_LINE {
                    self.line.push(byte);
                }
                self.at
            }
            (place, _) => place,
        }
    }

    /// The position after a whole line; `None` if the line is ambiguous.
    fn after_line(&mut self, line: &[u8]) -> Option<Place> {
        match self.at {
            Place::Fields if line.is_empty() => Some(match self.body {
                Body::None | Body::Length(0) => Place::Start,
                Body::Length(left) => Place::Data {
                    left,
                    chunked: false,
                },
                Body::Chunked => Place::ChunkSize,
            }),
            Place::Fields => self.field(line).map(|()| Place::Fields),
            Place::ChunkSize => {
                let size = line.split(|byte| *byte == b';').next()?;
                let is_hex = size.iter().all(u8::is_ascii_hexdigit) && line.len() <= LONGEST_LINE;
                let size = std::str::from_utf8(size).ok().filter(|_| is_hex)?;
                match u64::from_str_radix(size, 16).ok()? {
                    0 => Some(Place::Trailers),
                    size => {
                        let left = size.checked_add(b"\r\n".len() as u64)?;
                        Some(Place::Data {
                            left,
                            chunked: true,
                        })
                    }
                }
            }
            _ if line.is_empty() => Some(Place::Start),
            _ => Some(Place::Trailers),
        }
    }

    /// Reads a header field, if it is about the framing.
    fn field(&mut self, line: &[u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon {
            Some(colon) => (&line[..colon], line[colon + 1..].trim_ascii()),
            // The line was truncated, so the end of the field name is unknown.
            None => return (line.len() > LONGEST_LINE).then_some(()),
        };
        let body = if name.eq_ignore_ascii_case(b"content-length") {
            let is_number = value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().filter(|_| is_number)?;
            Body::Length(length.parse().ok()?)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            value
                .eq_ignore_ascii_case(b"chunked")
                .then_some(Body::Chunked)?
        } else {
            return (!name.eq_ignore_ascii_case(b"upgrade")).then_some(());
        };
        let is_plain = self.body == Body::None && line.len() <= LONGEST_LINE;
        self.body = body;
        is_plain.then_some(())
    }
}

/// Whether hyper rejects the byte, or ends the target at it, while Prometheus accepts it.
fn needs_encoding(byte: u8) -> bool {
    byte >= 0x80 || b"\"#<>\\^`{|}".contains(&byte)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use axum::Router;
    use axum::extract::Request;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    use super::Requests;

    fn encoded(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut requests, mut out) = (Requests::default(), Vec::new());
        for piece in pieces {
            requests.encode(piece, &mut out);
        }
        out
    }

    /// A request, and the request that hyper should read.
    fn request() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let targets = prop::collection::vec(
            prop::sample::select(vec![
                "a", "/", "?q=", "%22", "{", "}", "\"", "|", "é", "#", "\\",
            ]),
            0..8,
        );
        let body = prop_oneof![
            Just((String::new(), Vec::new())),
            "[ {}\"\r\nA-Z]{0,40}".prop_map(|body| {
                (
                    format!("content-LENGTH:  {} \r\n", body.len()),
                    body.into_bytes(),
                )
            }),
            prop::collection::vec("[ {}\"\r\nA-Z]{1,40}", 0..4).prop_map(|chunks| {
                let chunks = chunks
                    .iter()
                    .map(|chunk| format!("{:x};e=\"{{\"\r\n{chunk}\r\n", chunk.len()));
                let body = chunks.collect::<String>() + "0\r\nx: {\r\n\r\n";
                (
                    "Transfer-Encoding: chunked\r\n".to_owned(),
                    body.into_bytes(),
                )
            }),
        ];
        (targets, body, "(\r\n)?", 0..400_usize).prop_map(|(target, (field, body), blank, long)| {
            let target = target.concat();
            let fields = format!("x: {{\"{}\r\n{field}", "y".repeat(long));
            let write = |target: &str| {
                let head = format!("{blank}POST /{target} HTTP/1.1\r\n{fields}\r\n");
                [head.as_bytes(), &body].concat()
            };
            let mut allowed = String::new();
            for byte in target.bytes() {
                match byte {
                    b'a' | b'/' | b'?' | b'q' | b'=' | b'%' | b'2' => allowed.push(byte.into()),
                    byte => allowed += &format!("%{byte:02X}"),
                }
            }
            (write(&target), write(&allowed))
        })
    }

    proptest! {
        #[test]
        fn targets_are_encoded_and_nothing_else(
            requests in prop::collection::vec(request(), 1..5),
            sizes in prop::collection::vec(1..50_usize, 1..20),
        ) {
            let (sent, expected): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
            let (sent, expected) = (sent.concat(), expected.concat());
            let mut pieces = Vec::new();
            let mut rest = &sent[..];
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at(rest.len().min(*size));
                pieces.push(piece);
                rest = after;
            }
            let found = encoded(&pieces);
            prop_assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected));
        }

        #[test]
        fn splits_make_no_difference(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
            let (before, after) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(encoded(&[before, after]), encoded(&[&bytes]));
        }
    }

    #[test]
    fn after_doubtful_framing_nothing_is_encoded() {
        let padded = format!("Content-Length:{}4", " ".repeat(300));
        for field in [
            "Content-Length: 4\r\nContent-Length: 4",
            "Content-Length: 4\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Content-Length: +4",
            "Content-Length: 99999999999999999999",
            "Upgrade: x",
            "no colon",
            &padded,
        ] {
            let sent = format!("POST / HTTP/1.1\r\n{field}\r\n\r\nbodyGET /{{ HTTP/1.1\r\n\r\n");
            let found = encoded(&[sent.as_bytes()]);
            assert_eq!(String::from_utf8(found).unwrap(), sent, "{field}");
        }
    }

    /// Over the real server: two pipelined requests, one with a body.
    #[tokio::test]
    async fn the_server_accepts_raw_targets() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = async |request: Request| {
            let uri = request.uri().to_string();
            let body = axum::body::to_bytes(request.into_body(), 100)
                .await
                .unwrap();
            format!("<{uri} {}>", String::from_utf8_lossy(&body))
        };
        let stop = CancellationToken::new();
        let server = tokio::spawn(super::super::serve(
            listener,
            Router::new().fallback(echo),
            vigie_metrics::Registry::new(),
            stop.clone(),
        ));
        let mut client = TcpStream::connect(address).await.unwrap();
        let sent = "POST /q?query=up{a=\"é\"}|\\^<> HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n{\"raw}\
                    GET /label/{x}?a#b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut answers = String::new();
        let read = client.read_to_string(&mut answers);
        tokio::time::timeout(Duration::from_secs(60), read)
            .await
            .unwrap()
            .unwrap();
        for expected in [
            "</q?query=up%7Ba=%22%C3%A9%22%7D%7C%5C%5E%3C%3E {\"raw}>",
            "</label/%7Bx%7D?a%23b >",
        ] {
            assert!(answers.contains(expected), "{answers}");
        }
        stop.cancel();
        server.await.unwrap();
    }
}
