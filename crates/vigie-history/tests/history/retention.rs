//! Removal by age, memory use and explicit request.

use std::time::Duration;

use crate::support;
use crate::support::{HOUR, MINUTE, all, scrape, scrape_truth, select};
use vigie_history::{History, Settings};
use vigie_promql::Matcher;

fn names(history: &History) -> Vec<String> {
    all(history).into_keys().collect()
}

#[test]
fn samples_are_removed_by_age() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: Some(directory.path().to_owned()),
        retention: Duration::from_secs(3 * 3600),
        ..Settings::default()
    };
    let history = History::open(&settings).unwrap();
    let mut appender = history.appender();
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    for minute in 0..24 * 60 {
        let now = minute * MINUTE;
        scrape(&mut appender, now, &[("a", minute as f64)]);
        assert!(history.flush(Duration::from_secs(60)));
        let stats = history.stats();
        assert!(
            stats.newest == Some(now) && stats.oldest.unwrap() >= now - 5 * HOUR - 10 * MINUTE,
            "{stats:?}"
        );
        let kept = all(&history)["a"].len() as i64;
        assert!(
            kept >= (minute + 1).min(3 * 60),
            "{kept} samples after {minute} minutes"
        );
        assert!(files() <= 6, "a log and the blocks of the last hours");
    }
    assert_eq!(history.series(&[], 0, 10 * HOUR), []);
    drop((appender, history));

    let again = History::open(&settings).unwrap();
    assert_eq!(again.stats().newest, Some((24 * 60 - 1) * MINUTE));
    assert!(again.stats().oldest.unwrap() > 18 * HOUR);
}

#[test]
fn a_series_without_samples_is_removed_and_its_slot_reused() {
    let history = History::open(&Settings {
        retention: Duration::from_secs(3600),
        max_series: 3,
        ..Settings::default()
    })
    .unwrap();
    let mut appender = history.appender();
    scrape(&mut appender, 0, &[("a", 1.0), ("b", 1.0), ("c", 1.0)]);
    let old = {
        let mut scrape = appender.scrape(1);
        scrape.series(&[("__name__", "a")]).unwrap()
    };
    for minute in 1..8 * 60 {
        scrape(&mut appender, minute * MINUTE, &[("c", 1.0)]);
    }
    assert_eq!(names(&history), ["c"]);
    assert_eq!(history.stats().series, 1);
    let now = 8 * HOUR;
    assert_eq!(
        scrape(&mut appender, now, &[("c", 1.0), ("d", 2.0), ("e", 3.0)]).samples,
        3
    );
    assert_eq!(names(&history), ["c", "d", "e"]);
    assert!(select(&history, &[Matcher::equal("__name__", "a")], 0, now).is_empty());

    // A holder of the old reference does not write to the new series.
    let mut late = appender.scrape(now + 1);
    late.sample(old, 9.0);
    assert_eq!(late.commit().refused.too_old, 1);
}

#[test]
fn the_oldest_samples_are_removed_at_the_memory_limit() {
    let most = 1 << 19;
    let history = History::open(&Settings {
        max_bytes: most,
        retention: Duration::from_secs(1 << 30),
        ..Settings::default()
    })
    .unwrap();
    let mut appender = history.appender();
    let mut bytes = Vec::new();
    for at in 0..20_000 {
        scrape_truth(&mut appender, at * 15_000, 40);
        bytes.push(history.stats().bytes);
    }
    // The samples in the head when a block is sealed are additional.
    let largest = *bytes.iter().max().unwrap();
    assert!((most * 3 / 4..most * 5 / 4).contains(&largest), "{largest}");
    let stats = history.stats();
    assert!(stats.oldest.unwrap() > 0 && stats.oldest < stats.newest);
    support::check_truth(&history);
}

#[test]
fn a_flood_of_samples_is_sealed_early() {
    let history = History::open(&Settings {
        max_bytes: 1 << 20,
        ..Settings::default()
    })
    .unwrap();
    let mut appender = history.appender();
    for time in 0..100_000 {
        scrape_truth(&mut appender, time, 2);
        if time % 1_000 == 0 {
            let bytes = history.stats().bytes;
            assert!(bytes < 5 << 18, "{bytes} after {time} ms");
        }
    }
    assert!(!support::check_truth(&history).is_empty());
}

#[test]
fn samples_of_a_wrong_clock_can_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: Some(directory.path().to_owned()),
        ..Settings::default()
    };
    let history = History::open(&settings).unwrap();
    let mut appender = history.appender();
    for minute in 0..200 {
        scrape_truth(&mut appender, minute * MINUTE, 3);
    }
    // A year ahead, for hours, with a new series.
    let year = 365 * 24 * HOUR;
    for minute in 0..15 {
        scrape_truth(&mut appender, year + minute * MINUTE, 4);
    }
    let now = 201 * MINUTE;
    assert_eq!(scrape_truth(&mut appender, now, 3).samples, 0);
    history.remove_after(now);
    assert_eq!(scrape_truth(&mut appender, now + MINUTE, 3).samples, 3);
    let times = support::check_truth(&history);
    assert_eq!(times.keys().last(), Some(&(now + MINUTE)));
    assert!(times.values().all(|&count| count == 3));
    assert!(
        times.len() > 100,
        "the hours before are there: {}",
        times.len()
    );
    assert_eq!(history.stats().series, 3);

    assert!(history.flush(Duration::from_secs(60)));
    drop((appender, history));
    assert_eq!(
        support::check_truth(&History::open(&settings).unwrap()),
        times
    );
}
