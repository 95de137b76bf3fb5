//! Accepted and refused samples, and the end of series.

use std::time::Duration;

use crate::support::{HOUR, MINUTE, STALE, all, scrape};
use vigie_history::{Committed, DiskState, History, Refused, Settings};

fn open() -> History {
    History::open(&Settings::default()).unwrap()
}

fn bits(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
    samples
        .iter()
        .map(|&(time, value)| (time, value.to_bits()))
        .collect()
}

#[test]
fn a_series_that_a_scrape_lacks_ends() {
    let history = open();
    let mut appender = history.appender();
    let committed = scrape(&mut appender, 0, &[("a", 1.0), ("b", 2.0)]);
    assert_eq!((committed.samples, committed.ended), (2, 0));
    let committed = scrape(&mut appender, 10, &[("a", 3.0)]);
    assert_eq!((committed.samples, committed.ended), (1, 1));
    // It ends once.
    assert_eq!(scrape(&mut appender, 20, &[("a", 3.0)]).ended, 0);
    assert_eq!(
        scrape(&mut appender, 30, &[("a", 4.0), ("b", 5.0)]).ended,
        0
    );
    // An empty scrape ends all series.
    assert_eq!(scrape(&mut appender, 40, &[]).ended, 2);

    let stale = f64::from_bits(STALE);
    let found = all(&history);
    assert_eq!(
        found["a"],
        bits(&[(0, 1.0), (10, 3.0), (20, 3.0), (30, 4.0), (40, stale)])
    );
    assert_eq!(
        found["b"],
        bits(&[(0, 2.0), (10, stale), (30, 5.0), (40, stale)])
    );
}

#[test]
fn one_source_does_not_end_the_series_of_another() {
    let history = open();
    let (mut metrics, mut rules) = (history.appender(), history.appender());
    scrape(&mut metrics, 0, &[("a", 1.0)]);
    scrape(&mut rules, 5, &[("ALERTS", 1.0)]);
    assert_eq!(scrape(&mut metrics, 10, &[("a", 1.0)]).ended, 0);
    assert_eq!(scrape(&mut rules, 15, &[]).ended, 1);
    assert_eq!(all(&history)["a"], bits(&[(0, 1.0), (10, 1.0)]));
}

#[test]
fn a_dropped_scrape_has_no_effect() {
    let history = open();
    let mut appender = history.appender();
    scrape(&mut appender, 0, &[("a", 1.0)]);
    let mut dropped = appender.scrape(10);
    let series = dropped.series(&[("__name__", "b")]).unwrap();
    dropped.sample(series, 1.0);
    drop(dropped);
    assert_eq!(scrape(&mut appender, 20, &[("a", 1.0)]).ended, 0);
    assert_eq!(all(&history).len(), 1);
}

#[test]
fn samples_that_are_not_later_are_refused_and_counted() {
    let history = open();
    let (mut one, mut other) = (history.appender(), history.appender());
    scrape(&mut one, 100, &[("a", 1.0)]);
    let refused = scrape(&mut other, 50, &[("a", 2.0), ("b", 2.0)]).refused;
    assert_eq!(
        refused,
        Refused {
            out_of_order: 1,
            ..Refused::default()
        }
    );
    let committed = scrape(&mut one, 200, &[("a", 3.0), ("a", 4.0)]);
    assert_eq!(
        committed.refused,
        Refused {
            duplicate: 1,
            ..Refused::default()
        }
    );
    assert_eq!(committed.samples, 1);
    assert_eq!(all(&history)["a"], bits(&[(100, 1.0), (200, 3.0)]));

    // An hour later, sealed times are refused, for new series too.
    scrape(&mut one, 2 * HOUR, &[("a", 5.0)]);
    let refused = scrape(&mut other, HOUR, &[("c", 1.0)]).refused;
    assert_eq!(
        refused,
        Refused {
            too_old: 1,
            ..Refused::default()
        }
    );
    let late = 2 * HOUR - MINUTE;
    assert_eq!(
        scrape(&mut other, late, &[("c", 1.0)]).samples,
        1,
        "a rule may be late"
    );

    let counts = history.stats().committed;
    let refused = Refused {
        out_of_order: 1,
        duplicate: 1,
        too_old: 1,
        series_limit: 0,
    };
    assert_eq!(
        counts,
        Committed {
            samples: 5,
            ended: 0,
            refused
        }
    );
    assert_eq!(history.stats().disk, DiskState::Off);
    assert!(history.flush(Duration::ZERO));
}

#[test]
fn the_number_of_series_is_limited() {
    let history = History::open(&Settings {
        max_series: 2,
        ..Settings::default()
    })
    .unwrap();
    let mut appender = history.appender();
    for time in 0..3 {
        let committed = scrape(&mut appender, time, &[("a", 1.0), ("b", 1.0), ("c", 1.0)]);
        assert_eq!((committed.samples, committed.refused.series_limit), (2, 1));
    }
    assert_eq!(history.stats().series, 2);
}

#[test]
fn the_order_of_labels_does_not_matter() {
    let history = open();
    let mut appender = history.appender();
    let mut scrape = appender.scrape(0);
    let tidy = scrape.series(&[("__name__", "m"), ("a", "1"), ("b", "2")]);
    assert_eq!(
        scrape.series(&[("b", "2"), ("a", "1"), ("__name__", "m")]),
        tidy
    );
    assert_eq!(
        scrape.series(&[("__name__", "m"), ("a", "1"), ("aa", ""), ("b", "2")]),
        tidy
    );
    assert_ne!(
        scrape.series(&[("__name__", "m"), ("a", "12"), ("b", "")]),
        tidy
    );
    // Texts of adjacent labels are not confused.
    assert_ne!(scrape.series(&[("a", "bc")]), scrape.series(&[("ab", "c")]));
}
