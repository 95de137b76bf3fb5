//! Times that ascend.
//!
//! Scrapes come at a steady pace, so most columns of times are a first time and a step. The others are differences
//! of differences, as in Gorilla (VLDB 2015, section 4.1.1), most of which are 0.

use super::bits::{BitReader, BitWriter};
use super::rice::{Code, Rice};
use super::varint::{self, unzigzag, zigzag};
use vigie_promql::Sample;

use super::Damaged;

const STEADY: u8 = 0;
const UNSTEADY: u8 = 1;

/// Writes the times of `samples`, of which there is at least one.
pub(super) fn encode(samples: &[Sample], out: &mut Vec<u8>) {
    let first = samples[0].time;
    let step = samples
        .get(1)
        .map_or(0, |second| between(first, second.time));
    let mut pairs = samples.windows(2);
    let steady = pairs.all(|pair| between(pair[0].time, pair[1].time) == step);
    out.push(if steady { STEADY } else { UNSTEADY });
    varint::write(out, zigzag(first));
    varint::write(out, step);
    if steady {
        return;
    }
    let (mut rice, mut bits) = (Rice::new(), BitWriter::new(out));
    let mut last = step;
    for pair in samples[1..].windows(2) {
        let step = between(pair[0].time, pair[1].time);
        rice.write(&mut bits, zigzag(step.wrapping_sub(last) as i64));
        last = step;
    }
    bits.finish();
}

/// Reads `count` times off the front of `bytes`; their samples have no values yet.
pub(super) fn decode(
    bytes: &mut &[u8],
    count: usize,
    out: &mut Vec<Sample>,
) -> Result<(), Damaged> {
    let (&kind, rest) = bytes.split_first().ok_or(Damaged)?;
    *bytes = rest;
    let mut time = unzigzag(varint::read(bytes).ok_or(Damaged)?);
    let mut step = varint::read(bytes).ok_or(Damaged)?;
    let mut push = |time| out.push(Sample { time, value: 0.0 });
    push(time);
    let mut advance = |step: u64| {
        // Exact also over more than half of all times there are; a sum that wraps is damage.
        let next = time.wrapping_add_unsigned(step);
        let ascends = next > time;
        time = next;
        push(next);
        if ascends { Ok(()) } else { Err(Damaged) }
    };
    match kind {
        STEADY => (1..count).try_for_each(|_| advance(step)),
        UNSTEADY if count > 1 => {
            advance(step)?;
            let (mut rice, mut bits) = (Rice::new(), BitReader::new(bytes));
            for _ in 2..count {
                let Some(Code::Number(change)) = rice.read(&mut bits) else {
                    return Err(Damaged);
                };
                step = step.wrapping_add_signed(unzigzag(change));
                advance(step)?;
            }
            *bytes = bits.rest(bytes);
            Ok(())
        }
        _ => Err(Damaged),
    }
}

/// From a time to a later one.
fn between(earlier: i64, later: i64) -> u64 {
    later.wrapping_sub(earlier) as u64
}
