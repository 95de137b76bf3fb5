//! Concurrent readers and one writer: a query sees whole scrapes while blocks are sealed and removed.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use crate::support::{MINUTE, scrape};
use vigie_history::{History, Settings};
use vigie_promql::storage::Selection;
use vigie_promql::{Matcher, Storage as _};

const SERIES: usize = 500;

#[test]
fn a_query_sees_whole_scrapes() {
    let history = History::open(&Settings {
        retention: Duration::from_secs(6 * 3600),
        ..Settings::default()
    })
    .unwrap();
    let done = AtomicBool::new(false);
    let scrapes = if cfg!(debug_assertions) { 800 } else { 8_000 };
    let read = || {
        let mut queries = 0;
        let mut latest = -1;
        while !done.load(Relaxed) || queries == 0 {
            let matchers = [Matcher::equal("__name__", "m")];
            let selection = Selection {
                matchers: &matchers,
                start: latest - 2 * 3_600_000,
                end: i64::MAX,
            };
            let mut ends = Vec::new();
            let mut each = |_: &_, samples: &[vigie_promql::Sample]| {
                assert!(
                    samples
                        .iter()
                        .all(|sample| sample.value == (sample.time / 60_000) as f64)
                );
                let steady = samples
                    .windows(2)
                    .all(|pair| pair[0].time + 60_000 == pair[1].time);
                assert!(steady, "a hole");
                ends.push(samples.last().unwrap().time);
                ControlFlow::Continue(())
            };
            history.select(&selection, &mut each).unwrap();
            if let Some(&end) = ends.first() {
                assert_eq!(ends, vec![end; SERIES]);
                assert!(end >= latest);
                latest = end;
            }
            queries += 1;
        }
        queries
    };
    std::thread::scope(|scope| {
        let readers = [(); 3].map(|()| scope.spawn(read));
        let mut appender = history.appender();
        for at in 0..scrapes {
            let mut scrape = appender.scrape(at * 60_000);
            for number in 0..SERIES {
                let number = number.to_string();
                let series = scrape
                    .series(&[("__name__", "m"), ("number", &number)])
                    .unwrap();
                scrape.sample(series, at as f64);
            }
            assert_eq!(scrape.commit().samples, SERIES as u64);
        }
        done.store(true, Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

/// In the head and in sealed blocks.
#[test]
fn a_range_without_samples_has_no_series() {
    let history = History::open(&Settings::default()).unwrap();
    let mut appender = history.appender();
    let gaps = [30..40, 100..150, 290..295];
    for minute in 0..300 {
        if !gaps.iter().any(|gap| gap.contains(&minute)) {
            scrape(&mut appender, minute * MINUTE, &[("a", 1.0)]);
        }
    }
    for minute in 0..300 {
        let at = minute * MINUTE;
        let expected = usize::from(!gaps.iter().any(|gap| gap.contains(&minute)));
        assert_eq!(history.series(&[], at, at).len(), expected, "{minute}");
        assert_eq!(history.series(&[], at + 1, at + MINUTE - 1), [], "{minute}");
    }
    assert_eq!(history.series(&[], 300 * MINUTE, 0), []);
    assert_eq!(history.series(&[], 5 * MINUTE, 5 * MINUTE - 1), []);
    assert_eq!(history.series(&[], i64::MIN, i64::MAX).len(), 1);
}
