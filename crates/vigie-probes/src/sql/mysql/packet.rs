//! The packets of the MySQL protocol: a length of three bytes, a number, and the content.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::sql::error::Error;
use crate::sql::stream::Stream;

/// The maximum length of an expected packet.
const LONGEST: usize = 64 * 1024;

/// A connection that counts its packets.
pub(super) struct Wire {
    pub(super) stream: Stream,
    /// The number of the next packet, in either direction.
    pub(super) number: u8,
}

impl Wire {
    pub(super) async fn read(&mut self) -> Result<Vec<u8>, Error> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).await?;
        let [a, b, c, number] = head;
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        if length > LONGEST {
            return Err(Error::protocol("a packet that is longer than expected"));
        }
        if number != self.number {
            return Err(Error::protocol("a packet out of order"));
        }
        self.number = number.wrapping_add(1);
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content).await?;
        Ok(content)
    }

    pub(super) async fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        let Some(length) = u32::try_from(content.len()).ok().filter(|n| *n < 1 << 24) else {
            return Err(Error::protocol("a packet that is too long to be sent"));
        };
        let [a, b, c, _] = length.to_le_bytes();
        let mut packet = vec![a, b, c, self.number];
        packet.extend_from_slice(content);
        self.number = self.number.wrapping_add(1);
        self.stream.write_all(&packet).await?;
        Ok(self.stream.flush().await?)
    }
}

/// The rest of a packet; reading beyond its end returns `None`.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number<const N: usize>(&mut self) -> Option<u64> {
        let bytes = self.take(N)?.iter().rev();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A string terminated by a zero byte or the end of the packet.
    pub(super) fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0);
        let (text, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}
