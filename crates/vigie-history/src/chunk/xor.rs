//! Codes arbitrary values by the bits that differ from the previous value (Gorilla, VLDB 2015, section 4.1.2).
//!
//! `0`: the same value. `10`: different bits within the last window. `11`: a new window: 6 bits for the number of
//! leading zeros, 6 bits for its length minus one, then its bits. (The paper uses 5 bits for the zeros; 6 avoid a
//! limit.)

use super::bits::{BitReader, BitWriter};
use vigie_promql::Sample;

use super::Damaged;

pub(super) fn encode(samples: &[Sample], out: &mut Vec<u8>) {
    let mut bits = BitWriter::new(out);
    let mut last = 0;
    let (mut leading, mut length) = (0, 64);
    for sample in samples {
        let value = sample.value.to_bits();
        let differs = value ^ last;
        last = value;
        if differs == 0 {
            bits.write(0, 1);
            continue;
        }
        let (zeros, trailing) = (differs.leading_zeros(), differs.trailing_zeros());
        let needed = 64 - zeros - trailing;
        let fits = zeros >= leading && trailing >= 64 - leading - length;
        // Replace a window that wastes more bits than a new one costs.
        if fits && length <= needed + 12 {
            bits.write(0b10, 2);
        } else {
            (leading, length) = (zeros, needed);
            bits.write(0b11, 2);
            bits.write(u64::from(leading), 6);
            bits.write(u64::from(length - 1), 6);
        }
        bits.write(differs >> (64 - leading - length), length);
    }
    bits.finish();
}

/// Decodes a value for each sample from the start of `bytes`.
pub(super) fn decode(bytes: &mut &[u8], samples: &mut [Sample]) -> Result<(), Damaged> {
    let mut bits = BitReader::new(bytes);
    let mut value = 0;
    let mut window = (0, 64);
    for sample in samples {
        value ^= differs(&mut bits, &mut window).ok_or(Damaged)?;
        sample.value = f64::from_bits(value);
    }
    *bytes = bits.rest(bytes);
    Ok(())
}

fn differs(bits: &mut BitReader<'_>, window: &mut (u32, u32)) -> Option<u64> {
    if !bits.bit()? {
        return Some(0);
    }
    if bits.bit()? {
        let leading = bits.read(6)? as u32;
        let length = bits.read(6)? as u32 + 1;
        *window = (leading, length);
    }
    let (leading, length) = *window;
    let shift = 64_u32.checked_sub(leading + length)?;
    Some(bits.read(length)? << shift)
}
