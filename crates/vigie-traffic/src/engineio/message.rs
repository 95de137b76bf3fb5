//! The beginning of WebSocket messages, inflated where permessage-deflate (RFC 7692) was used.

use flate2::{Decompress, FlushDecompress, Status};

/// Collects the messages of one direction, one after the other, up to a number of bytes of each.
#[derive(Debug)]
pub(super) struct Message {
    max: usize,
    text: bool,
    compressed: bool,
    broken: bool,
    /// One byte more than `max` says that the message was longer.
    bytes: Vec<u8>,
    /// Kept from message to message, for they may share a window; made when the first compressed one comes.
    inflate: Option<Decompress>,
}

/// What a compressor leaves away at the end of a message.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

impl Message {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            text: false,
            compressed: false,
            broken: false,
            bytes: Vec::new(),
            inflate: None,
        }
    }

    pub(super) fn start(&mut self, text: bool, compressed: bool) {
        self.text = text;
        self.compressed = compressed;
        self.broken = false;
        self.bytes.clear();
    }

    pub(super) fn data(&mut self, piece: &[u8]) {
        if self.compressed {
            self.inflate(piece);
        } else {
            self.keep(piece);
        }
    }

    /// The message that ended: its beginning, if it was text and could be read.
    pub(super) fn end(&mut self) -> Option<&[u8]> {
        if self.compressed {
            self.inflate(&TAIL);
        }
        (self.text && !self.broken).then_some(&*self.bytes)
    }

    /// Whether more of it came than is kept.
    pub(super) fn too_long(&self) -> bool {
        self.bytes.len() > self.max
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = (self.max + 1).saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn inflate(&mut self, mut piece: &[u8]) {
        let mut plain = [0; 256];
        // A message that is longer than anything wanted is not read on: nobody asks for what follows it.
        while !self.broken && !self.too_long() {
            let inflate = self.inflate.get_or_insert_with(|| Decompress::new(false));
            let (read, written) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(piece, &mut plain, FlushDecompress::Sync);
            let read = usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX);
            let written = usize::try_from(inflate.total_out() - written).unwrap_or(usize::MAX);
            match status {
                Err(_) => self.broken = true,
                // A compressor may end its stream with a message and begin a new one.
                Ok(Status::StreamEnd) => inflate.reset(false),
                Ok(_) => {}
            }
            piece = piece.get(read..).unwrap_or_default();
            self.keep(plain.get(..written).unwrap_or_default());
            if read == 0 && written == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    fn deflated(compress: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() + 64);
        compress
            .compress_vec(text, &mut bytes, FlushCompress::Sync)
            .unwrap();
        assert!(bytes.ends_with(&TAIL));
        bytes.truncate(bytes.len() - TAIL.len());
        bytes
    }

    fn read(
        message: &mut Message,
        compressed: bool,
        bytes: &[u8],
        piece: usize,
    ) -> Option<Vec<u8>> {
        message.start(true, compressed);
        bytes.chunks(piece).for_each(|piece| message.data(piece));
        message.end().map(<[u8]>::to_vec)
    }

    #[test]
    fn reads_messages_that_share_a_window_and_messages_that_do_not() {
        for takeover in [true, false] {
            for piece in 1..40 {
                let mut compress = Compress::new(Compression::default(), false);
                let mut message = Message::new(100);
                for text in ["2probe", "2probe", "0{\"sid\":\"2probe\"}", "5", ""] {
                    if !takeover {
                        compress.reset();
                    }
                    let bytes = deflated(&mut compress, text.as_bytes());
                    let text = Some(text.as_bytes().to_vec());
                    assert_eq!(read(&mut message, true, &bytes, piece), text);
                }
                assert_eq!(read(&mut message, false, b"5", piece), Some(b"5".to_vec()));
            }
        }
    }

    #[test]
    fn a_stream_may_end_with_a_message() {
        let mut message = Message::new(100);
        for text in ["2probe", "5"] {
            let mut bytes = Vec::with_capacity(64);
            let mut compress = Compress::new(Compression::default(), false);
            compress
                .compress_vec(text.as_bytes(), &mut bytes, FlushCompress::Finish)
                .unwrap();
            bytes.push(0);
            let text = Some(text.as_bytes().to_vec());
            assert_eq!(read(&mut message, true, &bytes, 3), text);
        }
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let mut compress = Compress::new(Compression::best(), false);
        let bytes = deflated(&mut compress, &vec![b'5'; 10_000_000]);
        let mut message = Message::new(8);
        assert_eq!(read(&mut message, true, &bytes, 1_000), Some(vec![b'5'; 9]));
        assert!(message.too_long());
        assert!(message.inflate.unwrap().total_out() <= 512);
    }

    proptest! {
        #[test]
        fn never_panics_nor_grows(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8)) {
            let mut message = Message::new(16);
            for piece in pieces {
                message.start(true, true);
                message.data(&piece);
                let _ = message.end();
                prop_assert!(message.bytes.len() <= 17);
            }
        }
    }
}
