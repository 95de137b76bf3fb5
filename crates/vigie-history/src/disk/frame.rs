//! Checksummed records in a file.
//!
//! ```text
//! file    "VIGIE-H\n"  version u32  kind u8  frame…
//! frame   length u32   crc u32 of the payload   crc u32 of these eight bytes   payload
//! ```
//!
//! Numbers are little-endian, checksums CRC-32 (ISO 3309, as in zlib). The header of a frame has its own checksum, so
//! that the next intact frame after damage can be found.

use std::ops::Range;

pub(super) const MAGIC: &[u8; 8] = b"VIGIE-H\n";
/// Increased when current readers cannot read a new format. The first version was never released.
const VERSION: u32 = 2;
const FILE_HEAD: usize = 13;
const FRAME_HEAD: usize = 12;
/// Longer frames are never written: such a length is damage.
const LONGEST: usize = 64 << 20;

/// The content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    Log,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Block => b'B',
            Self::Log => b'L',
        }
    }
}

/// Why a file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is a foreign file, or its header is damaged.
    Foreign,
    /// Another version of Vigie wrote it.
    Version(u32),
}

/// Writes the header of a file.
pub(super) fn begin(out: &mut Vec<u8>, kind: Kind) {
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.push(kind.code());
}

/// Appends a frame with the output of `write`.
pub(super) fn frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; FRAME_HEAD]);
    write(out);
    let (head, payload) = out[start..].split_at_mut(FRAME_HEAD);
    // A payload holds the samples of one series in a block, or of one scrape: far less than `LONGEST`.
    head[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    head[4..8].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    let of_head = crc32fast::hash(&head[..8]);
    head[8..].copy_from_slice(&of_head.to_le_bytes());
}

/// The frames of a file.
pub(super) fn frames(file: &[u8], kind: Kind) -> Result<Frames<'_>, Unreadable> {
    let head = file.get(..FILE_HEAD).ok_or(Unreadable::Foreign)?;
    let version = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    if &head[..8] != MAGIC || head[12] != kind.code() || version == 0 {
        return Err(Unreadable::Foreign);
    }
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    Ok(Frames {
        file,
        at: FILE_HEAD,
    })
}

/// Intact frames and the damage between them, in order.
pub(super) struct Frames<'a> {
    file: &'a [u8],
    at: usize,
}

/// A part of a file.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    Payload(&'a [u8]),
    Damage(Range<usize>),
}

impl<'a> Iterator for Frames<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let start = self.at;
        if start >= self.file.len() {
            return None;
        }
        if let Some(payload) = whole(&self.file[start..]) {
            self.at = start + FRAME_HEAD + payload.len();
            return Some(Part::Payload(payload));
        }
        let later = (start + 1..self.file.len()).find(|&at| whole(&self.file[at..]).is_some());
        self.at = later.unwrap_or(self.file.len());
        Some(Part::Damage(start..self.at))
    }
}

/// The payload of the frame at the start of `bytes`.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<FRAME_HEAD>()?;
    let number =
        |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let length = number(0) as usize;
    // Cheapest check first: this runs at every byte of damage.
    if length > LONGEST || length > rest.len() || crc32fast::hash(&head[..8]) != number(8) {
        return None;
    }
    let payload = &rest[..length];
    (crc32fast::hash(payload) == number(4)).then_some(payload)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn file(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut file = Vec::new();
        begin(&mut file, Kind::Log);
        for payload in payloads {
            frame(&mut file, |out| out.extend(payload));
        }
        file
    }

    fn payloads(file: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let (mut payloads, mut damage) = (Vec::new(), 0);
        for part in frames(file, Kind::Log).unwrap() {
            match part {
                Part::Payload(payload) => payloads.push(payload.to_vec()),
                Part::Damage(range) => damage += range.len(),
            }
        }
        (payloads, damage)
    }

    proptest! {
        #[test]
        fn frames_round_trip(written: Vec<Vec<u8>>) {
            prop_assert_eq!(payloads(&file(&written)), (written, 0));
        }

        #[test]
        fn a_flipped_bit_damages_one_frame(written in prop::collection::vec(any::<Vec<u8>>(), 1..20), at: prop::sample::Index, flip in 1..=255_u8) {
            let mut bytes = file(&written);
            let at = FILE_HEAD + at.index(bytes.len() - FILE_HEAD);
            bytes[at] ^= flip;
            let (read, damage) = payloads(&bytes);
            prop_assert_eq!(read.len(), written.len() - 1);
            prop_assert!(damage > 0);
            let mut rest = written.iter();
            prop_assert!(read.iter().all(|payload| rest.any(|other| other == payload)));
        }

        #[test]
        fn truncation_damages_the_end(written in prop::collection::vec(any::<Vec<u8>>(), 1..20), at: prop::sample::Index) {
            let bytes = file(&written);
            let cut = FILE_HEAD + at.index(bytes.len() - FILE_HEAD);
            let (read, _) = payloads(&bytes[..cut]);
            prop_assert_eq!(&read[..], &written[..read.len()]);
            let length = file(&written[..read.len() + 1]).len();
            prop_assert!(cut < length, "the next frame was not whole");
        }

        #[test]
        fn reading_arbitrary_bytes_does_not_panic(bytes: Vec<u8>) {
            let mut file = file(&[]);
            file.extend(bytes);
            payloads(&file);
        }
    }

    #[test]
    fn foreign_files_and_newer_versions() {
        assert_eq!(frames(b"", Kind::Log).err(), Some(Unreadable::Foreign));
        let file = file(&[]);
        assert_eq!(frames(&file, Kind::Block).err(), Some(Unreadable::Foreign));
        let mut next = file.clone();
        next[8] = 9;
        assert_eq!(frames(&next, Kind::Log).err(), Some(Unreadable::Version(9)));
    }
}
