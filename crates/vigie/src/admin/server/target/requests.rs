//! The parser that finds the targets of requests, and encodes them.

/// The longest header line about framing that is parsed; real ones are much shorter.
const LONGEST_LINE: usize = 256;

/// The parser of a connection's requests.
#[derive(Default)]
pub(super) struct Requests {
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
    pub(super) fn encode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
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
