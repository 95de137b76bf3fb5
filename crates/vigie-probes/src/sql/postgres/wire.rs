//! The messages of PostgreSQL's protocol (version 3.0): a type, a length and the content.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorResponseBody, Header, Message};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::failure::FailureKind;
use crate::sql::error::Error;
use crate::sql::stream::Stream;

/// The maximum length of an expected message.
const LONGEST: i32 = 64 * 1024;

/// A connection, and what was read from it but is not part of a message yet.
pub(super) struct Wire {
    pub(super) stream: Stream,
    input: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
        }
    }

    /// Sends what `write` encodes.
    pub(super) async fn send(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let mut message = BytesMut::new();
        write(&mut message).map_err(odd)?;
        self.stream.write_all(&message).await?;
        Ok(self.stream.flush().await?)
    }

    pub(super) async fn receive(&mut self) -> Result<Message, Error> {
        loop {
            let header = Header::parse(&self.input).map_err(odd)?;
            if header.is_some_and(|header| header.len() > LONGEST) {
                return Err(Error::protocol("a message that is longer than expected"));
            }
            if let Some(message) = Message::parse(&mut self.input).map_err(odd)? {
                return Ok(message);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}

/// Errors of the protocol library are about content, not the connection.
pub(super) fn odd(error: std::io::Error) -> Error {
    Error::Protocol(error.to_string())
}

pub(super) fn server_error(error: &ErrorResponseBody, before_login: bool) -> Error {
    let field = |wanted: u8| {
        let mut fields = error.fields();
        let found = fields.find(|field| Ok(field.type_() == wanted));
        let text = found
            .ok()
            .flatten()
            .map(|field| field.value_bytes().to_vec());
        String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
    };
    let code = field(b'C');
    Error::Server {
        kind: kind(&code),
        is_refusal: before_login && code == "28000",
        message: field(b'M'),
    }
}

fn kind(code: &str) -> FailureKind {
    match code {
        "3D000" | "42501" => FailureKind::Denied,
        "53300" => FailureKind::Full,
        code if code.starts_with("28") => FailureKind::Denied,
        code if code.starts_with("57P") => FailureKind::NotReady,
        _ => FailureKind::Other,
    }
}
