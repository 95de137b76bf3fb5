//! Shared helpers of the tests.
#![allow(dead_code, clippy::unwrap_used)] // each test uses a part of it

pub(crate) mod traffic;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use vigie_history::{Appender, Committed, History};
use vigie_promql::storage::Selection;
use vigie_promql::{Matcher, Sample, Storage};

/// The content of a storage, by labels; values as bits, so that NaNs compare.
pub(crate) type Found = BTreeMap<String, Vec<(i64, u64)>>;

pub(crate) const STALE: u64 = vigie_promql::value::STALE_BITS;

pub(crate) fn select(storage: &impl Storage, matchers: &[Matcher], start: i64, end: i64) -> Found {
    let mut found = Found::new();
    let selection = Selection {
        matchers,
        start,
        end,
    };
    let mut each = |labels: &_, samples: &[Sample]| {
        let bits = samples
            .iter()
            .map(|sample| (sample.time, sample.value.to_bits()));
        let known = found.insert(format!("{labels}"), bits.collect());
        assert_eq!(known, None, "{labels} came twice");
        ControlFlow::Continue(())
    };
    storage.select(&selection, &mut each).unwrap();
    found
}

pub(crate) fn all(history: &History) -> Found {
    select(history, &[], i64::MIN, i64::MAX)
}

/// Appends a scrape of series of these names.
pub(crate) fn scrape(appender: &mut Appender, time: i64, samples: &[(&str, f64)]) -> Committed {
    let mut scrape = appender.scrape(time);
    for (name, value) in samples {
        if let Some(series) = scrape.series(&[("__name__", name)]) {
            scrape.sample(series, *value);
        }
    }
    scrape.commit()
}

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// A value that identifies the series and the time.
pub(crate) fn truth(series: usize, time: i64) -> f64 {
    let whole = (series as i64 * 1_000_003 + time / 1000) as f64;
    // Counters, durations and arbitrary values.
    match series % 3 {
        0 => whole,
        1 => whole / 1e3,
        _ => whole.sqrt(),
    }
}

/// Appends a scrape of `count` series with their [`truth`].
pub(crate) fn scrape_truth(appender: &mut Appender, time: i64, count: usize) -> Committed {
    let mut scrape = appender.scrape(time);
    for at in 0..count {
        let number = at.to_string();
        if let Some(series) = scrape.series(&[("__name__", "truth"), ("number", &number)]) {
            scrape.sample(series, truth(at, time));
        }
    }
    scrape.commit()
}

/// Panics if a sample is not one of [`scrape_truth`]; returns the number of samples at each time.
pub(crate) fn check_truth(history: &History) -> BTreeMap<i64, usize> {
    let mut times = BTreeMap::new();
    for (labels, samples) in all(history) {
        let number = labels
            .strip_prefix("truth{number=\"")
            .unwrap()
            .strip_suffix("\"}")
            .unwrap();
        let number = number.parse().unwrap();
        assert!(samples.is_sorted_by(|a, b| a.0 < b.0), "{labels}");
        for (time, bits) in samples {
            assert_eq!(bits, truth(number, time).to_bits(), "{labels} at {time}");
            *times.entry(time).or_default() += 1;
        }
    }
    times
}
