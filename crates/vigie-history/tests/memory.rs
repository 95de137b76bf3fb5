//! Measured by the allocator: the memory of a day, and that a scrape of known series does not allocate, except for
//! one in 32.
#![allow(clippy::unwrap_used)]

#[path = "history/support/mod.rs"]
mod support;

use std::time::Duration;

use support::traffic::{DAY, EVERY, SERIES, Traffic};
use vigie_history::{Appender, History, SeriesRef, Settings};
use vigie_testkit::allocator::{Counting, process};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn series(appender: &mut Appender, traffic: &Traffic) -> Vec<SeriesRef> {
    let mut scrape = appender.scrape(-1);
    let series = traffic.labels.iter().map(|labels| {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        scrape.series(&labels).unwrap()
    });
    series.collect()
}

fn append(appender: &mut Appender, time: i64, series: &[SeriesRef], values: &[f64]) {
    let mut scrape = appender.scrape(time);
    for (&series, &value) in series.iter().zip(values) {
        scrape.sample(series, value);
    }
    assert_eq!(scrape.commit().samples, series.len() as u64);
}

/// One test, because the counters are of the whole process.
#[test]
fn a_day_and_a_scrape() {
    let mut traffic = Traffic::new();
    // A debug build is slow: a third of the day, and of the limits.
    let parts = if cfg!(debug_assertions) { 3 } else { 1 };
    let before = process::held() as i64;
    let history = History::open(&Settings::default()).unwrap();
    let mut appender = history.appender();
    let references = series(&mut appender, &traffic);
    for at in 0..DAY / parts {
        let values = traffic.scrape();
        append(&mut appender, at as i64 * EVERY, &references, values);
    }
    let bytes = process::held() as i64 - before;
    // The heads and the labels take 4 MiB.
    let most = (4 << 20) + (12 << 20) / parts as i64;
    assert!(bytes < most, "{bytes} bytes for {SERIES} series");
    let told = history.stats().bytes as i64;
    assert!(
        (bytes * 3 / 4..bytes * 5 / 4).contains(&told),
        "it says {told} of {bytes}"
    );
    drop((appender, history));

    let directory = tempfile::tempdir().unwrap();
    for path in [None, Some(directory.path().to_owned())] {
        let history = History::open(&Settings {
            path: path.clone(),
            ..Settings::default()
        })
        .unwrap();
        let mut appender = history.appender();
        let references = series(&mut appender, &traffic);
        let values = traffic.scrape().to_vec();
        let mut time = 0;
        let mut scrapes = |count: usize| {
            for _ in 0..count {
                time += EVERY;
                append(&mut appender, time, &references, &values);
            }
            assert!(history.flush(Duration::from_secs(60)));
        };
        // After an hour and a seal, all buffers have their size.
        scrapes(260);
        let asked: Vec<_> = (0..100)
            .map(|_| {
                let before = process::allocations();
                scrapes(1);
                process::allocations() - before
            })
            .collect();
        // Each 32nd sample of a series allocates for the compressed ones.
        let some = asked.iter().filter(|asked| **asked > 0).count();
        assert!(some <= 100_usize.div_ceil(32), "{path:?}: {asked:?}");
        assert!(
            asked.iter().all(|asked| *asked <= SERIES as u64),
            "{path:?}: {asked:?}"
        );

        // Lookups by labels do not allocate either.
        let labels: Vec<(&str, &str)> = traffic.labels[7]
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let before = process::allocations();
        let mut scrape = appender.scrape(i64::MAX);
        assert_eq!(scrape.series(&labels), Some(references[7]));
        assert_eq!(process::allocations() - before, 0);
    }
}
