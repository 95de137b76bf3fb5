//! Numbers that are mostly small, of a size that changes: an adaptive Golomb-Rice code.
//!
//! A number is a quotient in unary and `k` bits of remainder. `k` follows the mean of the numbers just coded, as in
//! JPEG-LS (ITU-T T.87, A.5.1), so that neither side has to be told it. A quotient that would be long is an escape:
//! the number's own length and bits, or the mark of something that is not a number at all.

use super::bits::{BitReader, BitWriter};

/// So many ones are an escape.
const ESCAPE: u32 = 8;
/// After so many numbers the mean forgets half of what it knows.
const MEMORY: u32 = 16;

/// What comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Code {
    Number(u64),
    /// Something that the caller wrote after it in its own way.
    Mark,
}

pub(super) struct Rice {
    sum: u64,
    count: u32,
}

impl Rice {
    pub(super) fn new() -> Self {
        Self { sum: 0, count: 1 }
    }

    pub(super) fn write(&mut self, out: &mut BitWriter<'_>, number: u64) {
        let k = self.remainder_bits();
        let quotient = number >> k;
        if quotient < u64::from(ESCAPE) {
            let quotient = quotient as u32;
            // The ones, and the zero that ends them.
            out.write(u64::MAX << 1, quotient + 1);
            out.write(number, k);
        } else {
            let length = 64 - number.leading_zeros();
            out.write(u64::MAX, ESCAPE);
            out.write(u64::from(length - 1), 7);
            out.write(number, length);
        }
        self.learn(number);
    }

    pub(super) fn mark(&mut self, out: &mut BitWriter<'_>) {
        out.write(u64::MAX, ESCAPE);
        out.write(u64::MAX, 7);
    }

    pub(super) fn read(&mut self, bits: &mut BitReader<'_>) -> Option<Code> {
        let k = self.remainder_bits();
        let number = match bits.ones(ESCAPE)? {
            ESCAPE => match bits.read(7)? {
                length @ 0..=63 => bits.read(length as u32 + 1)?,
                _ => return Some(Code::Mark),
            },
            quotient => u64::from(quotient) << k | bits.read(k)?,
        };
        self.learn(number);
        Some(Code::Number(number))
    }

    /// The logarithm of the mean, rounded down.
    fn remainder_bits(&self) -> u32 {
        (self.sum / u64::from(self.count))
            .checked_ilog2()
            .unwrap_or(0)
    }

    fn learn(&mut self, number: u64) {
        self.sum = self.sum.saturating_add(number);
        self.count += 1;
        if self.count > MEMORY {
            self.sum /= 2;
            self.count /= 2;
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
        fn what_is_written_is_read(numbers in prop::collection::vec((any::<u64>(), 0..=64_u32), 0..200)) {
            let numbers = numbers.into_iter().map(|(number, shift)| number.checked_shr(shift));
            let numbers: Vec<Option<u64>> = numbers.collect();
            let mut bytes = Vec::new();
            let (mut rice, mut out) = (Rice::new(), BitWriter::new(&mut bytes));
            for number in &numbers {
                match number {
                    Some(number) => rice.write(&mut out, *number),
                    None => rice.mark(&mut out),
                }
            }
            out.finish();
            let (mut rice, mut bits) = (Rice::new(), BitReader::new(&bytes));
            for number in numbers {
                let code = number.map_or(Code::Mark, Code::Number);
                prop_assert_eq!(rice.read(&mut bits), Some(code));
            }
        }
    }

    #[test]
    fn nothing_is_one_bit() {
        let mut bytes = Vec::new();
        let (mut rice, mut out) = (Rice::new(), BitWriter::new(&mut bytes));
        for _ in 0..80 {
            rice.write(&mut out, 0);
        }
        out.finish();
        assert_eq!(bytes.len(), 10);
    }
}
