//! Compares each selection, from the head, from blocks and from files, with a plain list of all samples.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{MINUTE, STALE, select};
use proptest::prelude::*;
use vigie_history::{History, Settings};
use vigie_promql::storage::MemoryStorage;
use vigie_promql::{Labels, MatchOp, Matcher, Sample};

type Series = [&'static str; 3];

#[derive(Clone, Debug)]
struct Step {
    minutes: i64,
    samples: Vec<(Series, u64)>,
    reopen: bool,
}

fn any_series() -> impl Strategy<Value = Series> {
    let value = || prop::sample::select(vec!["", "x", "y", "xy", "é\"\\"]);
    let metric = prop::sample::select(vec!["up", "down"]);
    (metric, value(), value()).prop_map(|(metric, a, b)| [metric, a, b])
}

fn any_step() -> impl Strategy<Value = Step> {
    let bits = prop_oneof![
        any::<u64>(),
        (0..100_u32).prop_map(|n| f64::from(n).to_bits()),
        Just(STALE)
    ];
    let samples = prop::collection::vec((any_series(), bits), 0..8);
    (1..50_i64, samples, prop::bool::weighted(0.1)).prop_map(|(minutes, samples, reopen)| Step {
        minutes,
        samples,
        reopen,
    })
}

fn any_matcher() -> impl Strategy<Value = Matcher> {
    let name = prop::sample::select(vec!["__name__", "a", "b", "c"]);
    let equal = prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual]);
    let regex = prop::sample::select(vec![MatchOp::Match, MatchOp::NotMatch]);
    let value = prop::sample::select(vec!["", "x", "y", "z", "up", "down"]);
    let pattern = prop::sample::select(vec!["", ".*", ".+", "x|y", "x.?", "up", "u.*|z", "[^x]*"]);
    let ways = prop_oneof![(equal, value), (regex, pattern)];
    (name, ways).prop_map(|(name, (op, value))| Matcher::new(name, op, value).unwrap())
}

fn pairs(series: &Series) -> [(&'static str, &'static str); 3] {
    [("__name__", series[0]), ("a", series[1]), ("b", series[2])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn selections_are_those_of_a_plain_list(
        steps in prop::collection::vec(any_step(), 1..60),
        selections in prop::collection::vec((prop::collection::vec(any_matcher(), 0..4), 0..3000_i64, 0..3000_i64), 1..8),
        disk: bool,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: disk.then(|| directory.path().join("history")),
            retention: Duration::from_secs(1 << 30),
            ..Settings::default()
        };
        let mut history = History::open(&settings).unwrap();
        let mut appender = history.appender();
        let mut model = MemoryStorage::new();
        let mut last: BTreeSet<Series> = BTreeSet::new();
        let mut time = 0;
        for step in &steps {
            if step.reopen && disk {
                prop_assert!(history.flush(Duration::from_secs(60)));
                drop((appender, history));
                history = History::open(&settings).unwrap();
                prop_assert!(history.loaded().damaged.is_empty());
                appender = history.appender();
                // Series that ended while the history was closed are not known.
                last.clear();
            }
            time += step.minutes * MINUTE;
            let mut scrape = appender.scrape(time);
            let mut current = BTreeSet::new();
            for (series, bits) in &step.samples {
                let value = f64::from_bits(*bits);
                let reference = scrape.series(&pairs(series)).unwrap();
                scrape.sample(reference, value);
                if current.insert(*series) {
                    model.insert(&Labels::new(pairs(series)), Sample { time, value });
                }
            }
            scrape.commit();
            for gone in last.difference(&current) {
                let value = f64::from_bits(STALE);
                model.insert(&Labels::new(pairs(gone)), Sample { time, value });
            }
            last = current;
        }
        for (matchers, start, length) in &selections {
            let (start, end) = (start * MINUTE, (start + length) * MINUTE);
            let expected = select(&model, matchers, start, end);
            let mut series: Vec<_> = history.series(matchers, start, end).iter().map(ToString::to_string).collect();
            series.sort();
            prop_assert!(series.iter().eq(expected.keys()), "{:?} {}..{}: {:?}", matchers, start, end, series);
            prop_assert_eq!(select(&history, matchers, start, end), expected, "{:?}", matchers);
        }
        // The labels are those of the selected series.
        let (matchers, ..) = &selections[0];
        let expected: Vec<_> = select(&model, matchers, i64::MIN, i64::MAX).into_keys().collect();
        let mut series = history.series(matchers, i64::MIN, i64::MAX);
        series.sort_by_key(ToString::to_string);
        prop_assert_eq!(series.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }
}
