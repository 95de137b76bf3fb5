//! Compressed samples of one series.
//!
//! A chunk is written at once from all of its samples, so that the best code is chosen for each column:
//!
//! | bytes | |
//! | --- | --- |
//! | varint | how many samples, at least 1 and at most [`MOST_SAMPLES`] |
//! | column | the times: [`times`] |
//! | `u8` | the code of the values: decimal places (0 to 9), or one of the two below |
//! | column | the values: [`decimal`], [`xor`], or the 8 bytes of the one value that all samples have |
//!
//! All bits are restored, including the payload of a NaN. Chunks can be concatenated.

mod bits;
mod decimal;
mod rice;
mod times;
pub(crate) mod varint;
mod xor;

use vigie_promql::Sample;

/// More samples are split into several chunks.
pub(crate) const MOST_SAMPLES: usize = 4096;

const CONSTANT: u8 = 0x10;
const XOR: u8 = 0x11;

/// The bytes are not the output of [`encode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// Appends `samples`, whose times ascend, to `out` as chunks.
pub(crate) fn encode(samples: &[Sample], out: &mut Vec<u8>) {
    for samples in samples.chunks(MOST_SAMPLES) {
        varint::write(out, samples.len() as u64);
        times::encode(samples, out);
        encode_values(samples, out);
    }
}

fn encode_values(samples: &[Sample], out: &mut Vec<u8>) {
    let first = samples[0].value.to_bits();
    if samples.iter().all(|sample| sample.value.to_bits() == first) {
        out.push(CONSTANT);
        out.extend(first.to_le_bytes());
        return;
    }
    let start = out.len();
    if let Some(places) = decimal::places(samples) {
        out.push(places);
        decimal::encode(samples, places, out);
        // For changing values, no other code approaches two bytes.
        if out.len() - start <= 2 * samples.len() {
            return;
        }
    }
    let end = out.len();
    out.push(XOR);
    xor::encode(samples, out);
    // Keep the shorter one.
    if end == start || out.len() - end < end - start {
        out.drain(start..end);
    } else {
        out.truncate(end);
    }
}

/// Appends the samples of all chunks in `bytes` to `out`.
///
/// # Errors
/// If the bytes are damaged; `out` then holds the samples before the damage, whose values may be wrong.
pub(crate) fn decode(mut bytes: &[u8], out: &mut Vec<Sample>) -> Result<(), Damaged> {
    while !bytes.is_empty() {
        let count = varint::read(&mut bytes).ok_or(Damaged)?;
        let count = usize::try_from(count).map_err(|_| Damaged)?;
        if !(1..=MOST_SAMPLES).contains(&count) {
            return Err(Damaged);
        }
        let start = out.len();
        times::decode(&mut bytes, count, out)?;
        decode_values(&mut bytes, &mut out[start..])?;
    }
    Ok(())
}

fn decode_values(bytes: &mut &[u8], samples: &mut [Sample]) -> Result<(), Damaged> {
    let (&code, rest) = bytes.split_first().ok_or(Damaged)?;
    *bytes = rest;
    match code {
        0..=decimal::MOST_PLACES => decimal::decode(bytes, code, samples),
        XOR => xor::decode(bytes, samples),
        CONSTANT => {
            let (value, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
            *bytes = rest;
            let value = f64::from_le_bytes(*value);
            samples.iter_mut().for_each(|sample| sample.value = value);
            Ok(())
        }
        _ => Err(Damaged),
    }
}

#[cfg(test)]
mod tests;
