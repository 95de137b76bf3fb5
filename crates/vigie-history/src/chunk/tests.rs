#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

const STALE: u64 = 0x7ff0_0000_0000_0002;
const SCRAPE: i64 = 15_000;

fn bits(samples: &[Sample]) -> Vec<(i64, u64)> {
    let bits = |sample: &Sample| (sample.time, sample.value.to_bits());
    samples.iter().map(bits).collect()
}

fn encoded(samples: &[Sample]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(samples, &mut bytes);
    bytes
}

fn decoded(bytes: &[u8]) -> Vec<Sample> {
    let mut samples = Vec::new();
    decode(bytes, &mut samples).unwrap();
    samples
}

/// Scrapes at regular intervals.
fn scrapes(values: impl IntoIterator<Item = f64>) -> Vec<Sample> {
    let scrape = |(at, value)| Sample {
        time: 1_790_000_000_000 + at as i64 * SCRAPE,
        value,
    };
    values.into_iter().enumerate().map(scrape).collect()
}

/// Typical and arbitrary values.
fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-1_000..1_000_i64).prop_map(|n| n as f64),
        any::<i64>().prop_map(|n| n as f64),
        (any::<i32>(), 0..12).prop_map(|(n, places)| f64::from(n) / 10_f64.powi(places)),
        prop::sample::select(vec![
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::from_bits(1),
            f64::from_bits(STALE),
            f64::from_bits(u64::MAX),
            9_007_199_254_740_993.0,
        ]),
    ]
}

fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
    let times = prop_oneof![
        prop::collection::btree_set(any::<i64>(), 0..300),
        prop::collection::btree_set(-50_000..50_000_i64, 0..300),
        (any::<i32>(), 1..100_000_i64, 0..300_i64).prop_map(|(start, step, count)| {
            (0..count).map(|at| i64::from(start) + at * step).collect()
        }),
    ];
    let values = prop_oneof![
        prop::collection::vec(any_value(), 300),
        any_value().prop_map(|value| vec![value; 300]),
        prop::collection::vec(0..50_u32, 300).prop_map(|steps| {
            let sum = |sum: &mut u32, step| {
                *sum += step;
                Some(f64::from(*sum))
            };
            steps.into_iter().scan(0, sum).collect()
        }),
        // Most are integers and some are not.
        prop::collection::vec((0..8_u8, any_value(), 0..9_u32), 300).prop_map(|values| {
            let value = |(dice, odd, even)| if dice == 0 { odd } else { f64::from(even) };
            values.into_iter().map(value).collect()
        }),
    ];
    (times, values).prop_map(|(times, values)| {
        let sample = |(time, value)| Sample { time, value };
        times.into_iter().zip(values).map(sample).collect()
    })
}

proptest! {
    #[test]
    fn all_bits_are_restored(samples in any_samples()) {
        prop_assert_eq!(bits(&decoded(&encoded(&samples))), bits(&samples));
    }

    #[test]
    fn chunks_can_be_concatenated(first in any_samples(), second in any_samples()) {
        let bytes = [encoded(&first), encoded(&second)].concat();
        prop_assert_eq!(bits(&decoded(&bytes)), bits(&[first, second].concat()));
    }

    #[test]
    fn decoding_arbitrary_bytes_does_not_panic(bytes: Vec<u8>) {
        let mut samples = Vec::new();
        let _ = decode(&bytes, &mut samples);
    }

    #[test]
    fn damage_does_not_panic(samples in any_samples(), at: prop::sample::Index, flip in 1..=255_u8, cut: bool) {
        let mut bytes = encoded(&samples);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            bytes.truncate(if cut { at } else { bytes.len() });
        }
        let mut read = Vec::new();
        let _ = decode(&bytes, &mut read);
        prop_assert!(read.len() <= bytes.len() * MOST_SAMPLES);
    }
}

#[test]
fn many_samples_are_several_chunks() {
    let samples = scrapes((0..10_000).map(|n| f64::from(n % 7)));
    assert_eq!(bits(&decoded(&encoded(&samples))), bits(&samples));
}

#[test]
fn a_truncated_chunk_is_an_error() {
    let samples = scrapes((0..240).map(|n| f64::from(n * n)));
    let bytes = encoded(&samples);
    for length in 1..bytes.len() {
        let read = decode(&bytes[..length], &mut Vec::new());
        assert_eq!(read, Err(Damaged), "{length} of {}", bytes.len());
    }
}

/// An hour of scrapes of each kind of series, and its maximum size in bytes.
#[test]
fn the_size_of_an_hour_is_bounded() {
    let hour = 240;
    let noise = |n: i32| f64::from((n as u32).wrapping_mul(2_654_435_761) >> 24);
    let mut stale = scrapes((0..hour).map(|_| 7.0));
    stale[239].value = f64::from_bits(STALE);
    for (kind, samples, most) in [
        ("idle", scrapes((0..hour).map(|_| 7.0)), 21),
        ("ends", stale, 60),
        (
            "steady counter",
            scrapes((0..hour).map(|n| f64::from(n * 30))),
            60,
        ),
        (
            "counter",
            scrapes((0..hour).map(|n| f64::from(n * 300) + noise(n))),
            305,
        ),
        (
            "seconds",
            scrapes((0..hour).map(|n| (f64::from(n) * 1e9 + noise(n) * 1e3) / 1e9)),
            900,
        ),
        (
            "level",
            scrapes((0..hour).map(|n| (noise(n) / 32.0).floor())),
            160,
        ),
        (
            "CPU seconds",
            scrapes((0..hour).map(|n| (f64::from(n) * 20.0 + noise(n) / 16.0).floor() / 100.0)),
            220,
        ),
        ("ratio", scrapes((0..hour).map(|n| noise(n) / 255.0)), 1_750),
    ] {
        let length = encoded(&samples).len();
        assert!(length <= most, "{kind}: {length} bytes");
    }
}
