//! Polling bodies, read as they pass: the type of each packet, and the open packet.
//!
//! Of a body of any length only a few bytes are kept.

use super::open::{MAX_BYTES, Open};
use super::query::Revision;
use super::wrapping::{End, Unwrap, Wrapping};

/// The type of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Ping,
    Pong,
    Message,
    Upgrade,
    Noop,
}

impl Kind {
    /// From the digit that stands for it.
    pub(super) fn from_digit(digit: u8) -> Option<Self> {
        let kinds = [
            Self::Open,
            Self::Close,
            Self::Ping,
            Self::Pong,
            Self::Message,
            Self::Upgrade,
            Self::Noop,
        ];
        kinds.get(usize::from(digit.checked_sub(b'0')?)).copied()
    }
}

/// What is found in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A packet begins. One that is an open packet is followed by [`Item::Open`] if it could be read.
    Packet(Kind),
    /// What the open packet said.
    Open(Open),
    /// Something that is not a packet; the server stops here, and so does the scanner.
    Bad,
}

/// Scans one body.
#[derive(Debug)]
pub(super) struct Payload {
    unwrap: Unwrap,
    packets: Packets,
}

impl Payload {
    pub(super) fn new(revision: Revision, wrapping: Wrapping) -> Self {
        Self {
            unwrap: Unwrap::new(wrapping),
            packets: Packets {
                state: State::Begin,
                revision,
                open: None,
            },
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(Item)) {
        let packets = &mut self.packets;
        self.unwrap
            .feed(bytes, |bytes| packets.feed(bytes, &mut found));
    }

    /// Skips missing bytes. `false` if they can contain more than the data of one packet: then nothing that follows can be
    /// read.
    #[must_use]
    pub(super) fn skip(&mut self, missing: u64, mut found: impl FnMut(Item)) -> bool {
        self.unwrap.is_plain() && self.packets.skip(missing, &mut found)
    }

    /// The body is complete.
    pub(super) fn finish(&mut self, mut found: impl FnMut(Item)) {
        let packets = &mut self.packets;
        match self.unwrap.finish(|bytes| packets.feed(bytes, &mut found)) {
            End::Complete => packets.finish(&mut found),
            End::Broken => packets.bad(&mut found),
            // The server answers "ok" to a form without the field, and does nothing.
            End::Absent => {}
        }
    }
}

#[derive(Debug)]
struct Packets {
    state: State,
    revision: Revision,
    /// The open packet so far, while there is one.
    open: Option<Vec<u8>>,
}

/// Where in the framing the next byte is.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The first byte of the body.
    Begin,
    /// Revision 4: the type of a packet.
    Type,
    /// Revision 4: up to the separator.
    Data,
    /// Revision 3: the decimal length in front of a packet, counted in UTF-16 units.
    Length { length: u64, digits: u8 },
    /// Revision 3: the type, of a packet with that many units left; `base64`: it follows a `b`.
    TextType { left: u64, base64: bool },
    /// Revision 3: what follows the type.
    Text { left: u64 },
    /// Revision 3 in binary: whether a packet is text.
    Marker,
    /// Revision 3 in binary: digits as bytes, up to 0xff.
    BinaryLength { length: u64, digits: u8, text: bool },
    /// Revision 3 in binary: the type.
    BinaryType { left: u64, text: bool },
    /// Revision 3 in binary: what follows the type.
    Binary { left: u64 },
    /// Something was not understood.
    Bad,
}

/// The separator of packets in revision 4.
const SEPARATOR: u8 = 0x1e;
/// No length has more digits than this.
const MAX_DIGITS: u8 = 15;

impl Packets {
    fn feed(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Item)) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.state {
                State::Bad => return,
                State::Data => self.data(bytes, found),
                State::Binary { left } => self.binary(left, bytes, found),
                state => {
                    self.step(state, byte, found);
                    rest
                }
            };
        }
    }

    /// Only the binary framing says in bytes where a packet ends.
    fn skip(&mut self, missing: u64, found: &mut impl FnMut(Item)) -> bool {
        match self.state {
            _ if missing == 0 => true,
            State::Binary { left } if missing <= left => {
                self.open = None;
                self.binary_left(left - missing, found);
                true
            }
            _ => false,
        }
    }

    fn finish(&mut self, found: &mut impl FnMut(Item)) {
        match self.state {
            State::Data => self.end_of_open(found),
            State::Length { digits: 0, .. } | State::Marker | State::Bad => {}
            // Also the empty body: in both revisions it is an undecodable packet.
            _ => self.bad(found),
        }
    }

    /// Revision 4: skips to the separator.
    fn data<'a>(&mut self, bytes: &'a [u8], found: &mut impl FnMut(Item)) -> &'a [u8] {
        let end = bytes.iter().position(|&byte| byte == SEPARATOR);
        self.keep(&bytes[..end.unwrap_or(bytes.len())]);
        let Some(end) = end else { return &[] };
        self.end_of_open(found);
        self.state = State::Type;
        &bytes[end + 1..]
    }

    /// Revision 3 in binary: skips by length.
    fn binary<'a>(&mut self, left: u64, bytes: &'a [u8], found: &mut impl FnMut(Item)) -> &'a [u8] {
        let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        self.keep(&bytes[..taken]);
        self.binary_left(left - taken as u64, found);
        &bytes[taken..]
    }

    fn step(&mut self, state: State, byte: u8, found: &mut impl FnMut(Item)) {
        match state {
            State::Begin => {
                let first = match (self.revision, byte) {
                    (Revision::V4, _) => State::Type,
                    (Revision::V3, 0 | 1) => State::Marker,
                    (Revision::V3, _) => State::Length {
                        length: 0,
                        digits: 0,
                    },
                };
                self.step(first, byte, found);
            }
            State::Type => {
                let base64 = (byte == b'b').then_some(Kind::Message);
                match Kind::from_digit(byte).or(base64) {
                    Some(kind) => {
                        self.state = State::Data;
                        self.begin(kind, found);
                    }
                    None => self.bad(found),
                }
            }
            State::Length { length, digits } => match byte {
                b'0'..=b'9' if digits < MAX_DIGITS => {
                    self.state = State::Length {
                        length: length * 10 + u64::from(byte - b'0'),
                        digits: digits + 1,
                    };
                }
                b':' if digits > 0 => self.text_left(length, true, found),
                // The rest of the character that the packet before ended with.
                0x80..=0xbf if digits == 0 => {}
                _ => self.bad(found),
            },
            State::TextType { left, base64 } => {
                let kind = Kind::from_digit(byte);
                if kind.is_none() && byte == b'b' && !base64 && left > 1 {
                    self.state = State::TextType {
                        left: left - 1,
                        base64: true,
                    };
                    return;
                }
                if kind.is_none() && !base64 && byte != b'b' {
                    return self.bad(found);
                }
                self.begin(kind.unwrap_or(Kind::Message), found);
                self.text_left(left.saturating_sub(utf16_units(byte)), false, found);
            }
            State::Text { left } => {
                let units = utf16_units(byte);
                self.keep(&[byte]);
                self.text_left(left.saturating_sub(units), false, found);
            }
            State::Marker if byte <= 1 => {
                let text = byte == 0;
                self.state = State::BinaryLength {
                    length: 0,
                    digits: 0,
                    text,
                };
            }
            State::BinaryLength {
                length,
                digits,
                text,
            } => match byte {
                0..=9 if digits < MAX_DIGITS => {
                    self.state = State::BinaryLength {
                        length: length * 10 + u64::from(byte),
                        digits: digits + 1,
                        text,
                    };
                }
                0xff if length > 0 => self.state = State::BinaryType { left: length, text },
                _ => self.bad(found),
            },
            State::BinaryType { left, text } => {
                let digit = if text {
                    byte
                } else {
                    byte.saturating_add(b'0')
                };
                match Kind::from_digit(digit) {
                    Some(kind) => self.begin(kind, found),
                    None if text => return self.bad(found),
                    None => self.begin(Kind::Message, found),
                }
                self.binary_left(left - 1, found);
            }
            State::Marker | State::Data | State::Binary { .. } | State::Bad => self.bad(found),
        }
    }

    /// Revision 3: that many units of the packet are left. Bytes that continue a character belong to its first.
    fn text_left(&mut self, left: u64, type_next: bool, found: &mut impl FnMut(Item)) {
        self.state = match (left, type_next) {
            (0, _) => {
                self.end_of_open(found);
                State::Length {
                    length: 0,
                    digits: 0,
                }
            }
            (left, true) => State::TextType {
                left,
                base64: false,
            },
            (left, false) => State::Text { left },
        };
    }

    fn binary_left(&mut self, left: u64, found: &mut impl FnMut(Item)) {
        self.state = State::Binary { left };
        if left == 0 {
            self.end_of_open(found);
            self.state = State::Marker;
        }
    }

    fn begin(&mut self, kind: Kind, found: &mut impl FnMut(Item)) {
        if kind == Kind::Open {
            self.open = Some(Vec::new());
        }
        found(Item::Packet(kind));
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(open) = &mut self.open {
            let room = (MAX_BYTES + 1).saturating_sub(open.len());
            open.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn end_of_open(&mut self, found: &mut impl FnMut(Item)) {
        if let Some(json) = self.open.take().filter(|json| json.len() <= MAX_BYTES)
            && let Some(open) = Open::parse(&json)
        {
            found(Item::Open(open));
        }
    }

    fn bad(&mut self, found: &mut impl FnMut(Item)) {
        self.open = None;
        self.state = State::Bad;
        found(Item::Bad);
    }
}

/// How many UTF-16 units the character has whose first UTF-8 byte this is; 0 for the bytes that follow it.
fn utf16_units(byte: u8) -> u64 {
    match byte {
        0x80..=0xbf => 0,
        0xf0..=0xff => 2,
        _ => 1,
    }
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
