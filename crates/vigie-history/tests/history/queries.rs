//! Queries over a history: several threads find what one finds.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use vigie_history::{History, Settings};
use vigie_promql::value::{MatrixSeries, Value};
use vigie_promql::{Engine, EvalError, Outcome, TimeRange, parse};

const SERIES: usize = 600;
const SCRAPES: i64 = 250;
const EVERY: i64 = 15_000;

/// Counters with resets, and levels of all magnitudes with gaps.
fn filled() -> History {
    let history = History::open(&Settings::default()).unwrap();
    let mut appender = history.appender();
    for at in 0..SCRAPES {
        let mut scrape = appender.scrape(at * EVERY);
        for series in 0..SERIES as i64 {
            let (job, instance) = (format!("j{}", series % 7), series.to_string());
            let labels = [("job", &*job), ("instance", &*instance)];
            let of = |name| [&[("__name__", name)], &labels[..]].concat();
            let dice = (series * 7919 + at * 104_729) % 1_009;
            let mut sample = |name, value| {
                let one = scrape.series(&of(name)).unwrap();
                scrape.sample(one, value);
            };
            sample("c_total", ((at % 90) * (series + 1) + dice % 5) as f64);
            if dice % 50 != 0 {
                sample(
                    "level",
                    dice as f64 / 3.0 * 10_f64.powi((series % 9) as i32),
                );
            }
        }
        scrape.commit();
    }
    history
}

fn asked(
    history: &History,
    query: &str,
    engine: &Engine,
    interrupted: &dyn Fn() -> bool,
) -> Result<Outcome, EvalError> {
    let times = TimeRange {
        start: 300_000,
        end: SCRAPES * EVERY,
        step: 60_000,
    };
    engine.range(history, &parse(query).unwrap(), times, interrupted)
}

fn matrix(value: Value) -> Vec<MatrixSeries> {
    match value {
        Value::Matrix(series) => series,
        other => panic!("{other:?}"),
    }
}

fn threads(threads: usize) -> Engine {
    Engine {
        threads,
        ..Engine::default()
    }
}

#[test]
fn several_threads_find_what_one_finds() {
    let history = filled();
    for query in [
        "sum by (job) (rate(c_total[5m]))",
        "sum(level)",
        "avg by (job) (level)",
        "count(rate(c_total[2m]))",
        "min by (job) (increase(c_total[5m]))",
        "max without (instance) (level)",
        "group by (job, instance) (level)",
        "stddev(level)",
        "stdvar by (job) (avg_over_time(level[3m]))",
        "sum by (job) (last_over_time(level[1m] offset 5m))",
        "max(sum by (job) (rate(c_total[5m])))",
    ] {
        let [one, several] = [1, 3].map(|count| {
            let outcome = asked(&history, query, &threads(count), &|| false).unwrap();
            (outcome.queried, matrix(outcome.value))
        });
        assert_eq!(one.0, several.0, "{query}");
        assert!(!one.1.is_empty(), "{query}");
        assert_eq!(one.1.len(), several.1.len(), "{query}");
        for (one, several) in one.1.iter().zip(&several.1) {
            assert_eq!(one.labels, several.labels, "{query}");
            assert_eq!(one.samples.len(), several.samples.len(), "{query}");
            for (one, several) in one.samples.iter().zip(&several.samples) {
                let near = (one.value - several.value).abs() <= 1e-12 * one.value.abs();
                assert!(
                    one.time == several.time && near,
                    "{query}: {one:?}, {several:?}"
                );
            }
        }
    }
}

#[test]
fn threads_are_started_for_many_samples_and_share_the_memory() {
    let history = filled();
    let query = "sum by (job) (rate(c_total[5m]))";
    let used = |count: usize| {
        let mut engine = threads(count);
        // Enough for the groups of each thread, and far from enough for the columns of all series.
        engine.limits.bytes = 256 << 10;
        asked(&history, query, &engine, &|| false).unwrap().bytes
    };
    assert_eq!(used(1), used(3));
    let mut engine = threads(3);
    engine.limits.bytes = 4 << 10;
    let refused = asked(&history, query, &engine, &|| false);
    assert!(matches!(refused, Err(EvalError::TooMuchMemory { limit }) if limit == 4 << 10));
}

#[test]
fn all_threads_stop_at_an_interruption() {
    let history = filled();
    for after in [0, 10, 100] {
        let calls = AtomicUsize::new(0);
        let interrupted = || calls.fetch_add(1, Relaxed) >= after;
        let query = "sum by (job) (rate(c_total[5m]))";
        let stopped = asked(&history, query, &threads(3), &interrupted);
        assert!(
            matches!(stopped, Err(EvalError::Interrupted)),
            "{stopped:?}"
        );
    }
}

#[test]
fn an_estimate_is_near() {
    use vigie_promql::Storage as _;
    use vigie_promql::storage::Selection;
    let history = filled();
    let matchers = [vigie_promql::Matcher::equal("__name__", "c_total")];
    let estimate = |start, end| {
        history.estimate(&Selection {
            matchers: &matchers,
            start,
            end,
        })
    };
    let all = SERIES * SCRAPES as usize;
    let whole = estimate(i64::MIN, i64::MAX);
    assert!((all / 2..=all * 2).contains(&whole), "{whole}");
    assert!(estimate(SCRAPES * EVERY - 60_000, i64::MAX) < whole / 2);
}
