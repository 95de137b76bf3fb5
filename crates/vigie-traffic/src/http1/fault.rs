use thiserror::Error;

/// The reason why a message is refused: it is not HTTP/1, too large, or implementations disagree about where it ends.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The start line is not of the form that RFC 9112 requires.
    #[error("malformed start line")]
    StartLine,
    /// Neither HTTP/1.0 nor HTTP/1.1.
    #[error("unsupported HTTP version")]
    Version,
    /// The request target is empty, or contains a space, a control or a byte outside of ASCII.
    #[error("malformed request target")]
    Target,
    /// A line that ends without CR.
    #[error("line end that is not CRLF")]
    LineEnd,
    /// A control character, such as CR or NUL, in a field value or a reason phrase.
    #[error("control character")]
    Control,
    /// A field that continues on the next line (`obs-fold`).
    #[error("folded field line")]
    Fold,
    /// A field name that is not a token, such as an empty one or one with a space before the colon.
    #[error("malformed field name")]
    FieldName,
    /// More bytes than [`Limits`](crate::Limits) allow.
    #[error("head too large")]
    TooLarge,
    /// More fields than [`Limits`](crate::Limits) allow.
    #[error("too many fields")]
    TooManyFields,
    /// A `Content-Length` that is not a number.
    #[error("malformed Content-Length")]
    Length,
    /// More than one `Content-Length`, even if they agree.
    #[error("several Content-Length fields")]
    SeveralLengths,
    /// `Content-Length` and `Transfer-Encoding`. In a response the latter wins if it is `chunked`.
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndEncoding,
    /// A `Transfer-Encoding` other than one `chunked`, or with `chunked` before another coding.
    #[error("unsupported Transfer-Encoding")]
    Encoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not define it.
    #[error("Transfer-Encoding in HTTP/1.0")]
    EncodingInHttp10,
    /// More than one `Host`.
    #[error("several Host fields")]
    SeveralHosts,
    /// A `Host` with characters that a host and port cannot contain.
    #[error("malformed Host")]
    Host,
    /// A chunk size that is not a hexadecimal number of at most 15 digits followed by CRLF.
    #[error("malformed chunk size")]
    ChunkSize,
    /// A chunk extension.
    #[error("chunk extension")]
    ChunkExtension,
    /// The data of a chunk is not followed by CRLF.
    #[error("chunk data without CRLF")]
    ChunkEnd,
    /// A trailer field that concerns framing, routing or the connection.
    #[error("forbidden trailer field")]
    Trailer,
    /// Bytes after a message that is the last of its connection.
    #[error("bytes after the last message")]
    AfterLast,
    /// A response without a request.
    #[error("response without a request")]
    Unrequested,
    /// A response that switches protocols although its request does not ask for it.
    #[error("unrequested protocol switch")]
    UnrequestedSwitch,
}
