//! A Golomb-Rice code for mostly small numbers.
//!
//! A number is a quotient in unary and `k` bits of remainder (Rice, JPL 79-22, 1979). One `k` is used for all numbers
//! of a chunk: an adaptive `k` would save little, and decoding each number would depend on the previous one. A long
//! quotient is replaced by an escape: the length and bits of the number, or the mark of a value that the caller
//! stores elsewhere.

use super::Damaged;
use super::bits::{BitReader, BitWriter};

/// The number of ones that mark an escape.
const ESCAPE: u32 = 8;
/// Limits `k`, so that a quotient and a remainder can be read at once.
const LONGEST: u8 = 40;

/// A decoded item.
#[derive(Debug, PartialEq)]
pub(super) enum Code {
    Number(u64),
    /// A value that the caller encoded after it.
    Mark,
}

/// The code of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rice {
    k: u8,
}

impl Rice {
    /// The code that needs approximately the fewest bits for these numbers.
    pub(super) fn of(numbers: impl Iterator<Item = u64>) -> Self {
        let mut of_length = [0_u64; 65];
        let (mut count, mut sum, mut longest) = (0_u64, 0_u64, 0);
        for number in numbers {
            let length = length(number);
            of_length[length as usize] += 1;
            count += 1;
            sum += u64::from(length);
            longest = longest.max(length);
        }
        // The best one is close to the mean.
        let mean = sum.checked_div(count).unwrap_or(0) as u8;
        let near = mean.saturating_sub(3)..=(mean + 2).min(LONGEST);
        let bits = |k: u8| -> u64 {
            let bits = of_length.iter().zip(0..=longest);
            bits.map(|(count, length)| count * halves(length, u32::from(k)))
                .sum()
        };
        let k = near.min_by_key(|&k| bits(k)).unwrap_or(LONGEST);
        Self { k }
    }

    /// Decodes the header byte.
    pub(super) fn read_from(bytes: &mut &[u8]) -> Result<Self, Damaged> {
        let (&k, rest) = bytes.split_first().ok_or(Damaged)?;
        *bytes = rest;
        match k {
            0..=LONGEST => Ok(Self { k }),
            _ => Err(Damaged),
        }
    }

    /// The header byte.
    pub(super) fn byte(self) -> u8 {
        self.k
    }

    pub(super) fn write(self, out: &mut BitWriter<'_>, number: u64) {
        let k = u32::from(self.k);
        let quotient = number >> k;
        if quotient < u64::from(ESCAPE) {
            let quotient = quotient as u32;
            // The ones and the terminating zero.
            out.write(u64::MAX << 1, quotient + 1);
            out.write(number, k);
        } else {
            let length = length(number);
            out.write(u64::MAX, ESCAPE);
            out.write(u64::from(length - 1), 7);
            out.write(number, length);
        }
    }

    pub(super) fn mark(self, out: &mut BitWriter<'_>) {
        out.write(u64::MAX, ESCAPE);
        out.write(u64::MAX, 7);
    }

    #[inline(always)]
    pub(super) fn read(self, bits: &mut BitReader<'_>) -> Option<Code> {
        let k = u32::from(self.k);
        bits.prepare(ESCAPE + k);
        let quotient = bits.leading_ones();
        if quotient < ESCAPE {
            let remainder = bits.after_ones(quotient, k)?;
            return Some(Code::Number(u64::from(quotient) << k | remainder));
        }
        let (code, after) = escaped(*bits);
        *bits = after;
        code
    }
}

#[cold]
fn escaped(mut bits: BitReader<'_>) -> (Option<Code>, BitReader<'_>) {
    let mut code = || {
        bits.few(ESCAPE)?;
        match bits.read(7)? {
            length @ 0..=63 => bits.read(length as u32 + 1).map(Code::Number),
            _ => Some(Code::Mark),
        }
    };
    (code(), bits)
}

/// The number of bits of a number.
fn length(number: u64) -> u32 {
    64 - number.leading_zeros()
}

/// The average number of half bits of numbers with this length.
fn halves(length: u32, k: u32) -> u64 {
    let halves = match length.saturating_sub(k) {
        0 => 2 * (1 + k),
        1 => 2 * (2 + k),
        2 => 2 * (3 + k) + 1,
        3 => 2 * (6 + k) + 1,
        _ => 2 * (ESCAPE + 7 + length),
    };
    u64::from(halves)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn written(rice: Rice, numbers: &[Option<u64>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut out = BitWriter::new(&mut bytes);
        for number in numbers {
            match number {
                Some(number) => rice.write(&mut out, *number),
                None => rice.mark(&mut out),
            }
        }
        out.finish();
        bytes
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            numbers in prop::collection::vec((any::<u64>(), 0..=64_u32), 0..200),
            k in 0..=LONGEST,
        ) {
            let numbers = numbers.into_iter().map(|(number, shift)| number.checked_shr(shift));
            let numbers: Vec<Option<u64>> = numbers.collect();
            let rice = Rice { k };
            let bytes = written(rice, &numbers);
            let mut bits = BitReader::new(&bytes);
            for number in numbers {
                let code = number.map_or(Code::Mark, Code::Number);
                prop_assert_eq!(rice.read(&mut bits), Some(code));
            }
        }

        /// The code is optimal for a geometric distribution: no other `k` is much shorter.
        #[test]
        fn the_code_suits_the_numbers(seeds in prop::collection::vec(1e-9..1.0_f64, 240), scale in 0..40) {
            let numbers = seeds.iter().map(|seed| (-seed.ln() * 2_f64.powi(scale)) as u64);
            let numbers: Vec<_> = numbers.map(Some).collect();
            let chosen = written(Rice::of(numbers.iter().flatten().copied()), &numbers).len();
            let others = (0..=LONGEST).map(|k| written(Rice { k }, &numbers).len());
            let best = others.min().unwrap();
            prop_assert!(chosen * 20 <= best * 21 + 40, "{chosen}, and {best} at best");
        }
    }

    #[test]
    fn zero_takes_one_bit() {
        let rice = Rice::of([0; 80].into_iter());
        assert_eq!(written(rice, &[Some(0); 80]).len(), 10);
    }
}
