//! Chunked bodies (RFC 9112, section 7.1), up to the last chunk.

use crate::Fault;

/// The position in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// In the digits of a size.
    Size { digits: u8, size: u64 },
    /// After the CR of a size line.
    SizeEnd { size: u64 },
    /// In the data of a chunk, with this number of bytes left.
    Data(u64),
    /// After the data of a chunk.
    DataEnd,
    /// After the CR that follows the data.
    DataLineEnd,
}

/// The event that was read in a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chunk<'a> {
    Data(&'a [u8]),
    /// The line of the last chunk was read; trailers follow.
    Last,
    /// The input is read.
    Incomplete,
}

/// Sizes of 16 digits would reach the numbers that some implementations read as negative.
const MAX_DIGITS: u8 = 15;

impl Chunks {
    pub(crate) const BEGIN: Self = Self::Size { digits: 0, size: 0 };

    pub(crate) fn read<'a>(&mut self, input: &mut &'a [u8]) -> Result<Chunk<'a>, Fault> {
        while let Some((&byte, rest)) = input.split_first() {
            *self = match *self {
                Self::Data(left) => {
                    let (data, rest) = take(input, left);
                    *input = rest;
                    *self = Self::after(left - data.len() as u64);
                    return Ok(Chunk::Data(data));
                }
                Self::Size { digits, size } => Self::size(byte, digits, size)?,
                Self::SizeEnd { size } if byte == b'\n' => match size {
                    0 => {
                        *input = rest;
                        return Ok(Chunk::Last);
                    }
                    _ => Self::Data(size),
                },
                Self::SizeEnd { .. } => return Err(Fault::ChunkSize),
                Self::DataEnd if byte == b'\r' => Self::DataLineEnd,
                Self::DataLineEnd if byte == b'\n' => Self::BEGIN,
                Self::DataEnd | Self::DataLineEnd => return Err(Fault::ChunkEnd),
            };
            *input = rest;
        }
        Ok(Chunk::Incomplete)
    }

    fn size(byte: u8, digits: u8, size: u64) -> Result<Self, Fault> {
        match (char::from(byte).to_digit(16), byte) {
            (Some(digit), _) if digits < MAX_DIGITS => Ok(Self::Size {
                digits: digits + 1,
                size: size * 16 + u64::from(digit),
            }),
            (None, b'\r') if digits > 0 => Ok(Self::SizeEnd { size }),
            (None, b';') if digits > 0 => Err(Fault::ChunkExtension),
            _ => Err(Fault::ChunkSize),
        }
    }

    fn after(left: u64) -> Self {
        match left {
            0 => Self::DataEnd,
            _ => Self::Data(left),
        }
    }

    /// Continues after missing bytes, if all are data of one chunk. Returns the number skipped.
    pub(crate) fn skip(&mut self, missing: u64) -> u64 {
        match *self {
            Self::Data(left) if missing <= left => {
                *self = Self::after(left - missing);
                missing
            }
            _ => 0,
        }
    }
}

/// The first `at_most` bytes and the rest.
pub(crate) fn take(bytes: &[u8], at_most: u64) -> (&[u8], &[u8]) {
    let length = usize::try_from(at_most).map_or(bytes.len(), |at_most| at_most.min(bytes.len()));
    bytes.split_at(length)
}
