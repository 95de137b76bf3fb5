//! Bits in a row, the most significant first.

/// Appends bits to bytes; the last byte is filled up with zeros by [`finish`](Self::finish).
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Its lowest `pending` bits are not written yet; never more than seven between two calls.
    bits: u64,
    pending: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            bits: 0,
            pending: 0,
        }
    }

    /// Writes the lowest `count` bits of `value`; at most 64.
    pub(super) fn write(&mut self, value: u64, count: u32) {
        if count > 32 {
            self.write(value >> 32, count - 32);
            return self.write(value, 32);
        }
        let mask = (1 << count) - 1;
        self.bits = self.bits << count | value & mask;
        self.pending += count;
        while self.pending >= 8 {
            self.pending -= 8;
            self.out.push((self.bits >> self.pending) as u8);
        }
    }

    pub(super) fn finish(mut self) {
        if self.pending > 0 {
            self.write(0, 8 - self.pending);
        }
    }
}

/// Reads what a [`BitWriter`] wrote; past the end there is `None`.
pub(super) struct BitReader<'a> {
    rest: &'a [u8],
    /// Its lowest `ready` bits are not read yet.
    bits: u64,
    ready: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            bits: 0,
            ready: 0,
        }
    }

    /// The next `count` bits; at most 64.
    pub(super) fn read(&mut self, count: u32) -> Option<u64> {
        if count > 32 {
            let high = self.read(count - 32)?;
            return Some(high << 32 | self.read(32)?);
        }
        if self.ready < count {
            self.fill();
        }
        self.ready = self.ready.checked_sub(count)?;
        Some(self.bits >> self.ready & ((1 << count) - 1))
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// How many ones come next, at most `most` (which is at most 32); a zero that ends them is read too.
    pub(super) fn ones(&mut self, most: u32) -> Option<u32> {
        if self.ready <= most {
            self.fill();
        }
        // Zeros come in from below, so that ones end where the bits that are ready end.
        let next = self.bits.checked_shl(64 - self.ready).unwrap_or(0);
        let ones = next.leading_ones().min(most);
        let read = if ones < most { ones + 1 } else { most };
        self.ready = self.ready.checked_sub(read)?;
        Some(ones)
    }

    /// The bytes of which no bit has been read.
    pub(super) fn rest(&self, bytes: &'a [u8]) -> &'a [u8] {
        let unread = self.rest.len() + self.ready as usize / 8;
        &bytes[bytes.len() - unread..]
    }

    fn fill(&mut self) {
        while self.ready <= 56
            && let Some((&byte, rest)) = self.rest.split_first()
        {
            self.bits = self.bits << 8 | u64::from(byte);
            self.ready += 8;
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in prop::collection::vec((any::<u64>(), 0..=64_u32), 0..100)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for &(value, count) in &fields {
                writer.write(value, count);
            }
            writer.finish();
            let length = bytes.len();
            bytes.extend([0xff, 0xff]);
            let mut reader = BitReader::new(&bytes);
            for &(value, count) in &fields {
                let mask = 1_u64.checked_shl(count).map_or(u64::MAX, |bit| bit - 1);
                prop_assert_eq!(reader.read(count), Some(value & mask));
            }
            prop_assert_eq!(reader.rest(&bytes).len(), bytes.len() - length);
        }

        #[test]
        fn ones_are_counted(runs in prop::collection::vec(0..=9_u32, 0..100)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for &run in &runs {
                writer.write(u64::MAX << 1, run + 1);
            }
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for &run in &runs {
                prop_assert_eq!(reader.ones(8), Some(run.min(8)));
                match run {
                    8 => prop_assert_eq!(reader.read(1), Some(0)),
                    9 => prop_assert_eq!(reader.read(2), Some(2)),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn the_end_is_the_end() {
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!(reader.ones(20), None);
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!(reader.read(8), Some(0xff));
        assert_eq!((reader.ones(1), reader.read(1)), (None, None));
        assert_eq!(reader.read(0), Some(0));
        assert_eq!(BitReader::new(&[]).ones(8), None);
    }
}
