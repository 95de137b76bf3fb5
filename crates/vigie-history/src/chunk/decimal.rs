//! Codes decimal values with few digits: counts, sizes, durations in whole nanoseconds.
//!
//! A value is `n / 10^places` with an integer `n`. Division of two exact numbers is rounded correctly (IEEE 754), and
//! so is parsing of decimal digits, so `n` restores each bit of such a value. The stored number is the difference of
//! `n` from a prediction. Other values (NaN, -0, thirds) are escaped and stored in full.

use super::bits::{BitReader, BitWriter};
use super::rice::{Code, Rice};
use super::varint::{self, unzigzag, zigzag};
use vigie_promql::Sample;

use super::Damaged;

/// 1 ns in seconds.
pub(super) const MOST_PLACES: u8 = 9;
/// Integers beyond it are not exact.
const EXACT: f64 = 9_007_199_254_740_992.0;
const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// The number of places that represents all samples, except those that no number represents; `None` if these are
/// many.
pub(super) fn places(samples: &[Sample]) -> Option<u8> {
    let (mut places, mut others) = (0, 0);
    for sample in samples {
        match (places..=MOST_PLACES).find(|&places| whole(sample.value, places).is_some()) {
            Some(needed) => places = needed,
            None => others += 1,
        }
    }
    (others * 4 <= samples.len()).then_some(places)
}

/// `value * 10^places`, if it is an integer that restores the value.
fn whole(value: f64, places: u8) -> Option<i64> {
    let power = POWERS[usize::from(places)];
    let n = (value * power).round();
    // As an integer, -0 would become 0.
    let whole = n as i64;
    let exact = n.abs() <= EXACT && (whole as f64 / power).to_bits() == value.to_bits();
    exact.then_some(whole)
}

pub(super) fn encode(samples: &[Sample], places: u8, out: &mut Vec<u8>) {
    // Separate, because counts since the start are large and their changes are small.
    let whole_of = |sample: &Sample| whole(sample.value, places);
    let first = samples.iter().find_map(whole_of).unwrap_or(0);
    let last = samples.iter().rev().find_map(whole_of).unwrap_or(0);
    let change = last.wrapping_sub(first) / samples.len() as i64;
    // Computed twice: storing the first result would take memory.
    let distances = || {
        let mut path = Path::new(first, change);
        samples.iter().map(move |sample| {
            let distance = whole(sample.value, places)?.wrapping_sub(path.next());
            path.add(distance);
            Some(zigzag(distance))
        })
    };
    let rice = Rice::of(distances().flatten());
    varint::write(out, zigzag(first));
    varint::write(out, zigzag(change));
    out.push(rice.byte());
    let mut bits = BitWriter::new(out);
    for (sample, distance) in samples.iter().zip(distances()) {
        match distance {
            Some(distance) => rice.write(&mut bits, distance),
            None => {
                rice.mark(&mut bits);
                bits.write(sample.value.to_bits(), 64);
            }
        }
    }
    bits.finish();
}

/// Decodes a value for each sample from the start of `bytes`.
pub(super) fn decode(bytes: &mut &[u8], places: u8, samples: &mut [Sample]) -> Result<(), Damaged> {
    let power = POWERS.get(usize::from(places)).ok_or(Damaged)?;
    let [first, change] = [varint::read(bytes), varint::read(bytes)];
    let [first, change] = [first, change].map(|number| number.map(unzigzag).ok_or(Damaged));
    let path = Path::new(first?, change?);
    let rice = Rice::read_from(bytes)?;
    let mut bits = BitReader::new(bytes);
    match places {
        // Most values are integers, which need no division.
        0 => values(rice, &mut bits, path, samples, |whole| whole as f64),
        _ => values(rice, &mut bits, path, samples, |whole| whole as f64 / power),
    }
    .ok_or(Damaged)?;
    *bytes = bits.rest(bytes);
    Ok(())
}

#[inline(always)]
fn values(
    rice: Rice,
    bits: &mut BitReader<'_>,
    mut path: Path,
    samples: &mut [Sample],
    value: impl Fn(i64) -> f64,
) -> Option<()> {
    for sample in samples {
        sample.value = match rice.read(bits)? {
            Code::Number(distance) => {
                path.add(unzigzag(distance));
                value(path.last)
            }
            Code::Mark => f64::from_bits(bits.read(64)?),
        };
    }
    Some(())
}

/// Predicts integers: the last one plus the mean of the recent changes.
struct Path {
    last: i64,
    /// The mean change, times sixteen.
    change: i64,
}

impl Path {
    fn new(first: i64, change: i64) -> Self {
        Self {
            // So that the first prediction is exact.
            last: first.wrapping_sub(change),
            change: change.wrapping_mul(16),
        }
    }

    fn next(&self) -> i64 {
        self.last.wrapping_add(self.change >> 4)
    }

    /// The difference of the next number from the prediction.
    fn add(&mut self, distance: i64) {
        self.last = self.next().wrapping_add(distance);
        self.change = self.change.wrapping_add(distance.wrapping_mul(4));
    }
}
