//! Sequences of bits, most significant first.

/// Appends bits to bytes; [`finish`](Self::finish) pads the last byte with zeros.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The lowest `pending` bits are not yet written; at most seven between calls.
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

/// Reads the output of a [`BitWriter`]; `None` past the end.
///
/// Rarely called methods take and return it by value, so that it stays in registers.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    rest: &'a [u8],
    /// The highest `ready` bits are next. The bits below may already hold bits of `rest`.
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
    #[inline(always)]
    pub(super) fn read(&mut self, count: u32) -> Option<u64> {
        if count > 56 {
            let high = self.few(count - 32)?;
            return Some(high << 32 | self.few(32)?);
        }
        self.few(count)
    }

    /// The next `count` bits; at most 56.
    #[inline(always)]
    pub(super) fn few(&mut self, count: u32) -> Option<u64> {
        self.prepare(count);
        self.ready = self.ready.checked_sub(count)?;
        // Two shifts, because a shift by 64 overflows.
        let value = self.bits >> 1 >> (63 - count);
        self.bits <<= count;
        Some(value)
    }

    #[inline(always)]
    pub(super) fn bit(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// The number of ones that come next, as far as bits are ready; none is consumed.
    #[inline(always)]
    pub(super) fn leading_ones(&self) -> u32 {
        self.bits.leading_ones()
    }

    /// The `count` bits after `ones` ones and a zero, which are consumed too; at most 56 bits altogether.
    #[inline(always)]
    pub(super) fn after_ones(&mut self, ones: u32, count: u32) -> Option<u64> {
        // One check for all of them: the position of the next number depends on this alone.
        self.ready = self.ready.checked_sub(ones + 1 + count)?;
        let rest = self.bits << (ones + 1);
        self.bits = rest << count;
        // Two shifts, because a shift by 64 overflows.
        Some(rest >> 1 >> (63 - count))
    }

    /// Makes up to `count` bits ready, at most 56, so that reading them needs no further check.
    #[inline(always)]
    pub(super) fn prepare(&mut self, count: u32) {
        if self.ready < count {
            self.fill();
        }
    }

    /// The bytes of which no bit was read.
    pub(super) fn rest(&self, bytes: &'a [u8]) -> &'a [u8] {
        let unread = self.rest.len() + self.ready as usize / 8;
        &bytes[bytes.len() - unread..]
    }

    /// Makes at least 56 bits ready, if available.
    #[inline(always)]
    fn fill(&mut self) {
        if let Some(next) = self.rest.first_chunk() {
            // Whole bytes become ready; the bits of a byte that does not fit are loaded again later.
            self.bits |= u64::from_be_bytes(*next) >> self.ready;
            let bytes = (63 - self.ready) / 8;
            self.rest = &self.rest[bytes as usize..];
            self.ready += bytes * 8;
        } else {
            *self = self.filled_slowly();
        }
    }

    #[cold]
    fn filled_slowly(mut self) -> Self {
        // Bits of a byte that did not fit may remain below the ready bits.
        self.bits &= !(u64::MAX >> self.ready);
        while self.ready < 56
            && let Some((&byte, rest)) = self.rest.split_first()
        {
            self.bits |= u64::from(byte) << 56 >> self.ready;
            self.ready += 8;
            self.rest = rest;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_round_trip(fields in prop::collection::vec((any::<u64>(), 0..=64_u32), 0..100)) {
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
        fn ones_are_counted(fields in prop::collection::vec((0..8_u32, any::<u64>(), 0..=40_u32), 0..100)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for &(ones, value, count) in &fields {
                writer.write(u64::MAX << 1, ones + 1);
                writer.write(value, count);
            }
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for &(ones, value, count) in &fields {
                reader.prepare(8 + count);
                prop_assert_eq!(reader.leading_ones(), ones);
                prop_assert_eq!(reader.after_ones(ones, count), Some(value & ((1 << count) - 1)));
            }
        }
    }

    #[test]
    fn reading_past_the_end_fails() {
        let mut reader = BitReader::new(&[0xff]);
        reader.prepare(20);
        assert_eq!((reader.leading_ones(), reader.after_ones(7, 12)), (8, None));
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!(reader.read(8), Some(0xff));
        assert_eq!((reader.after_ones(0, 0), reader.read(1)), (None, None));
        assert_eq!(reader.read(0), Some(0));
    }
}
