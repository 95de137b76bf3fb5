//! The format of the files.
//!
//! ```text
//! file    "VIGIE-S\n"   kind, 4 bytes   version u32   crc u32 of these sixteen bytes   record…
//! record  length u32   crc u32 of the payload   crc u32 of these eight bytes   payload
//! ```
//!
//! Numbers are little-endian, checksums CRC-32 (ISO 3309, as in zlib). The head of a record has its own checksum, so that the
//! next intact record after damage can be found.

use crate::error::Unusable;

const MAGIC: &[u8; 8] = b"VIGIE-S\n";
/// The bytes of the magic number, the kind and the version.
const NAMED: usize = 16;
/// The bytes before the first record.
pub(crate) const FILE_HEAD: usize = 20;
pub(crate) const RECORD_HEAD: usize = 12;

/// The maximum size of a record. A greater length in a file is damage.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// The contents of a file, and the version of their format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    name: [u8; 4],
    version: u32,
}

impl Kind {
    /// Contents with this name, and the version that this program reads and writes.
    #[must_use]
    pub const fn new(name: [u8; 4], version: u32) -> Self {
        Self { name, version }
    }
}

/// The head of a file.
pub(crate) fn head(kind: Kind) -> [u8; FILE_HEAD] {
    let mut head = [0; FILE_HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&kind.name);
    head[12..NAMED].copy_from_slice(&kind.version.to_le_bytes());
    let crc = crc32fast::hash(&head[..NAMED]);
    head[NAMED..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Appends a record. Its length has been compared with [`MAX_RECORD_BYTES`].
pub(crate) fn write(out: &mut Vec<u8>, payload: &[u8]) {
    let mut head = [0; RECORD_HEAD];
    head[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    head[4..8].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    let crc = crc32fast::hash(&head[..8]);
    head[8..].copy_from_slice(&crc.to_le_bytes());
    out.extend(head);
    out.extend(payload);
}

/// Whether a file that begins so may be replaced: it begins with the magic number or with a part of it, or its head is
/// intact except for the magic number.
pub(crate) fn is_ours(start: &[u8]) -> bool {
    if start.starts_with(MAGIC) || MAGIC.starts_with(start) {
        return true;
    }
    let Some(start) = start.first_chunk::<FILE_HEAD>() else {
        return false;
    };
    let mut named = [0; NAMED];
    named[..8].copy_from_slice(MAGIC);
    named[8..].copy_from_slice(&start[8..NAMED]);
    crc32fast::hash(&named) == number(start, NAMED)
}

/// The intact parts of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents<'a> {
    pub(crate) records: Vec<&'a [u8]>,
    /// The number of bytes that belong to no intact record.
    pub(crate) damaged: usize,
    /// The bytes of the file up to the end of its last intact record.
    pub(crate) end: usize,
    /// Whether everything before `end` is intact.
    pub(crate) is_prefix: bool,
}

/// Reads a file. Records are also read if only the checksum of the head does not match.
pub(crate) fn read(file: &[u8], kind: Kind) -> Result<Contents<'_>, Unusable> {
    if !is_ours(file) || file.is_empty() {
        return Err(Unusable::Foreign);
    }
    let Some(found) = file.first_chunk::<FILE_HEAD>() else {
        return Err(Unusable::Damaged);
    };
    let expected = head(kind);
    let intact = *found == expected;
    if !intact && crc32fast::hash(&found[..NAMED]) == number(found, NAMED) {
        return Err(if found[8..12] != kind.name {
            Unusable::Kind
        } else {
            Unusable::Version {
                found: number(found, 12),
                accepted: kind.version,
            }
        });
    }
    let mut contents = Contents {
        records: Vec::new(),
        damaged: if intact { 0 } else { FILE_HEAD },
        end: FILE_HEAD,
        is_prefix: intact,
    };
    let mut at = FILE_HEAD;
    while at < file.len() {
        if let Some(payload) = record(&file[at..]) {
            contents.is_prefix &= contents.end == at;
            at += RECORD_HEAD + payload.len();
            contents.end = at;
            contents.records.push(payload);
            continue;
        }
        let later = (at + 1..file.len()).find(|&later| record(&file[later..]).is_some());
        let later = later.unwrap_or(file.len());
        contents.damaged += later - at;
        at = later;
    }
    Ok(contents)
}

/// The payload of the record at the start of `bytes`.
fn record(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<RECORD_HEAD>()?;
    let length = number(head, 0) as usize;
    // Cheapest check first: this runs at every byte of damage.
    if length > MAX_RECORD_BYTES
        || length > rest.len()
        || crc32fast::hash(&head[..8]) != number(head, 8)
    {
        return None;
    }
    let payload = &rest[..length];
    (crc32fast::hash(payload) == number(head, 4)).then_some(payload)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
