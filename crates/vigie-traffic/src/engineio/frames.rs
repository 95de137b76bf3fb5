//! WebSocket frames (RFC 6455), read as they pass: headers always, payloads only while somebody wants them.

/// What passes, in order. Payload pieces come only while they are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A data message begins.
    Start { text: bool, compressed: bool },
    /// Some of its payload, unmasked.
    Data(&'a [u8]),
    /// Some of its payload is missing.
    Missing,
    /// It ends.
    End,
    /// A Close frame begins.
    Close,
}

/// Whether payloads are wanted from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Payload,
    Headers,
}

/// Scans one direction. It never allocates, and skips payloads in one step.
#[derive(Debug)]
pub(super) struct Frames {
    /// The header so far.
    head: [u8; MAX_HEAD],
    have: usize,
    /// The frame whose header is complete.
    frame: Frame,
    /// How much of its payload is still to come.
    left: u64,
    want: Want,
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    data: bool,
    last: bool,
    mask: [u8; 4],
    /// The place in the mask of the next payload byte.
    at: usize,
}

/// Two bytes, a 64-bit length and a mask.
const MAX_HEAD: usize = 14;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;

impl Frames {
    pub(super) fn new(want: Want) -> Self {
        Self {
            head: [0; MAX_HEAD],
            have: 0,
            frame: Frame::default(),
            left: 0,
            want,
        }
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8], mut on: impl FnMut(Piece<'_>) -> Want) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let whole = bytes.len();
                let taken = usize::try_from(self.left).map_or(whole, |left| left.min(whole));
                let (payload, rest) = bytes.split_at(taken);
                bytes = rest;
                self.left -= taken as u64;
                self.payload(payload, &mut on);
                if self.left == 0 {
                    self.end(&mut on);
                }
                continue;
            }
            let missing = self.head_len() - self.have;
            let (head, rest) = bytes.split_at(missing.min(bytes.len()));
            bytes = rest;
            self.head[self.have..self.have + head.len()].copy_from_slice(head);
            self.have += head.len();
            if self.have >= 2 && self.have == self.head_len() {
                self.begin(&mut on);
            }
        }
    }

    /// Skips missing bytes. `false` if they are not all payload of one frame: then nothing that follows can be read.
    #[must_use]
    pub(super) fn skip(&mut self, missing: u64, mut on: impl FnMut(Piece<'_>) -> Want) -> bool {
        if missing > self.left {
            return false;
        }
        if missing == 0 {
            return true;
        }
        self.left -= missing;
        let turn = usize::try_from(missing % 4).unwrap_or_default();
        self.frame.at = (self.frame.at + turn) % 4;
        if self.frame.data && self.want == Want::Payload {
            self.want = on(Piece::Missing);
        }
        if self.left == 0 {
            self.end(&mut on);
        }
        true
    }

    /// How long the header is, as far as that is known.
    fn head_len(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let length = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + length + mask
    }

    fn begin(&mut self, on: &mut impl FnMut(Piece<'_>) -> Want) {
        let (flags, rest) = (self.head[0], &self.head[2..self.have]);
        let (length, mask) = match self.head[1] & 0x7f {
            126 => rest.split_at(2),
            127 => rest.split_at(8),
            _ => rest.split_at(0),
        };
        self.left = match length {
            [] => u64::from(self.head[1] & 0x7f),
            length => length
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
        };
        let opcode = flags & 0x0f;
        self.frame = Frame {
            data: opcode <= BINARY,
            last: flags & 0x80 != 0,
            mask: mask.try_into().unwrap_or_default(),
            at: 0,
        };
        self.have = 0;
        match opcode {
            TEXT | BINARY => {
                self.want = on(Piece::Start {
                    text: opcode == TEXT,
                    compressed: flags & 0x40 != 0,
                });
            }
            CLOSE => self.want = on(Piece::Close),
            // What a continuation continues has begun; a ping, a pong or an unknown frame is skipped.
            _ => {}
        }
        if self.left == 0 {
            self.end(on);
        }
    }

    fn payload(&mut self, payload: &[u8], on: &mut impl FnMut(Piece<'_>) -> Want) {
        if !self.frame.data {
            return;
        }
        let mut plain = [0; 64];
        for piece in payload.chunks(plain.len()) {
            if self.want == Want::Headers {
                return;
            }
            for (to, from) in plain.iter_mut().zip(piece) {
                *to = from ^ self.frame.mask[self.frame.at];
                self.frame.at = (self.frame.at + 1) % 4;
            }
            self.want = on(Piece::Data(&plain[..piece.len()]));
        }
    }

    fn end(&mut self, on: &mut impl FnMut(Piece<'_>) -> Want) {
        if self.frame.data && self.frame.last {
            self.want = on(Piece::End);
        }
    }
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
