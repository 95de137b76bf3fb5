//! Codes ascending timestamps.
//!
//! Scrapes are regular, so most columns are a first time and an interval. The others are differences of differences,
//! as in Gorilla (VLDB 2015, section 4.1.1), most of which are 0.

use super::bits::{BitReader, BitWriter};
use super::rice::{Code, Rice};
use super::varint::{self, unzigzag, zigzag};
use vigie_promql::Sample;

use super::Damaged;

const STEADY: u8 = 0;
const UNSTEADY: u8 = 1;

/// Writes the times of `samples`, which is not empty.
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
    let changes = samples.windows(3).map(|three| {
        let [before, step] = [0, 1].map(|at| between(three[at].time, three[at + 1].time));
        zigzag(step.wrapping_sub(before) as i64)
    });
    let rice = Rice::of(changes.clone());
    out.push(rice.byte());
    let mut bits = BitWriter::new(out);
    changes.for_each(|change| rice.write(&mut bits, change));
    bits.finish();
}

/// Decodes `count` times from the start of `bytes`; their samples have no values yet.
pub(super) fn decode(
    bytes: &mut &[u8],
    count: usize,
    out: &mut Vec<Sample>,
) -> Result<(), Damaged> {
    let (&kind, rest) = bytes.split_first().ok_or(Damaged)?;
    *bytes = rest;
    let first = unzigzag(varint::read(bytes).ok_or(Damaged)?);
    let step = varint::read(bytes).ok_or(Damaged)?;
    match kind {
        STEADY => steady(first, step, count, out),
        UNSTEADY if count > 1 => unsteady(bytes, first, step, count, out),
        _ => Err(Damaged),
    }
}

fn steady(first: i64, step: u64, count: usize, out: &mut Vec<Sample>) -> Result<(), Damaged> {
    let last = step.checked_mul(count as u64 - 1);
    let last = last.and_then(|passed| first.checked_add_unsigned(passed));
    if last.is_none() || (count > 1 && step == 0) {
        return Err(Damaged);
    }
    let times = (0..count as u64).map(|at| first.wrapping_add_unsigned(at.wrapping_mul(step)));
    out.extend(times.map(|time| Sample { time, value: 0.0 }));
    Ok(())
}

fn unsteady(
    bytes: &mut &[u8],
    first: i64,
    mut step: u64,
    count: usize,
    out: &mut Vec<Sample>,
) -> Result<(), Damaged> {
    let mut time = first;
    let mut push = |time| out.push(Sample { time, value: 0.0 });
    push(time);
    let mut advance = |step| {
        // Exact even for differences of more than half the range; an overflow is damage.
        let next = time.checked_add_unsigned(step).filter(|next| *next > time);
        time = next.ok_or(Damaged)?;
        push(time);
        Ok(())
    };
    advance(step)?;
    let rice = Rice::read_from(bytes)?;
    let mut bits = BitReader::new(bytes);
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

/// The difference from a time to a later one.
fn between(earlier: i64, later: i64) -> u64 {
    later.wrapping_sub(earlier) as u64
}
