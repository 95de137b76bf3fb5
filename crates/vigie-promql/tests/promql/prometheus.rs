//! Random queries over random series give the results of Prometheus: Debian's 2.42, and 3.5.
//!
//! This engine follows Prometheus 3. Queries and samples are chosen so that the differences of 2.42 have no effect:
//!
//! - ranges and lookback are closed on the left: no sample is at an edge;
//! - `first_over_time`, `histogram_avg`, `histogram_stddev`, `histogram_stdvar`, durations as numbers, and
//!   `histogram_fraction` of classic histograms do not exist;
//! - `atan2` keeps the metric name;
//! - the rules that extrapolate a counter near zero apply in another order: counters are large, and `rate` and
//!   `increase` of other series are skipped;
//! - `stddev` and `stdvar` of infinities, sums of numbers of very different magnitude, and dates of non-finite times
//!   differ: samples are ordinary numbers, and those functions are not used;
//! - `@` does not fix the windows of `predict_linear`, nor the first argument of an aggregation: it is not used;
//! - `topk(-Inf, …)` fails, `-` fails on series that differ only in their names and never have samples at the same
//!   step, and a filtering comparison does not detect many-to-one matches: these one-sided failures are accepted.
//!
//! In 3.5 only `topk(NaN, …)` of no series differs, which does not fail there, and the parts [`NEWER_WORDS`] leaves
//! out.
//!
//! Two mathematical libraries differ in their last digits, which affects functions of large angles and comparisons for
//! equality. Among equal values, `topk` and `bottomk` choose by the order of their input, which depends on the storage.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::common::{Words, vectors};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokio::runtime::{Builder, Runtime};
use vigie_promql::{
    Engine, Labels, METRIC_NAME, Sample, TimeRange, Value, parse, storage::MemoryStorage,
};
use vigie_testkit::{Prometheus, prometheus::Release};

const QUERIES: usize = 3000;
const TIMES: TimeRange = TimeRange {
    start: 500,
    end: 700_500,
    step: 50_000,
};
const WORDS: Words = Words {
    shifts: &["", "", "", " offset 1m", " offset -90s"],
    ranges: &["[1m]", "[5m]", "[30s]", "[1s]", "[10m] offset 1m"],
    subqueries: &["[5m:1m]", "[2m:]", "[1m:7s]", "[3m:30s] offset 1m"],
    numbers: &["3", "1000", "-0.25"],
    operators: &["+", "-", "*", "/", "%", "==", "!=", ">", "< bool", ">="],
    without: &[
        "exp",
        "first_over_time",
        "histogram_avg",
        "histogram_fraction",
        "histogram_stddev",
        "histogram_stdvar",
        "stddev",
        "stdvar",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "days_in_month",
        "hour",
        "minute",
        "month",
        "year",
    ],
    experimental: false,
    picks_from_selectors_only: true,
};

/// Leaves out the intended differences from 3.5: dates of non-finite times, and the first argument of an aggregation
/// fixed by `@`. 3.5 also has `first_over_time` behind a flag, ignores the `offset` in `timestamp(x @ 0 offset 1m)`,
/// and returns NaN for a `histogram_fraction` from just below 0.
const NEWER_WORDS: Words = Words {
    shifts: &["", "", "", " offset 1m", " offset -90s", " @ 300"],
    without: &[
        "exp",
        "sinh",
        "cosh",
        "first_over_time",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "days_in_month",
        "hour",
        "minute",
        "month",
        "year",
    ],
    picks_from_selectors_only: true,
    ..Words::all()
};

/// `rate` and `increase` of series other than large counters, and functions that depend on last digits: see above.
const SKIPPED: [&str; 8] = [
    "rate((",
    "rate(b",
    "rate({",
    "increase((",
    "increase(b",
    "increase({",
    "changes((",
    "resets((",
];

/// Accepted one-sided failures: see above.
const ONE_SIDED: [&str; 5] = [
    "multiple matches for labels: grouping labels",
    "Parameter value is NaN",
    "overflows int64",
    "vector cannot contain metrics with the same labelset",
    "multiple matches for labels: many-to-one",
];

type Series = BTreeMap<Labels, Vec<(i64, f64)>>;

/// The response to a query.
#[derive(Debug)]
struct Answer {
    series: Series,
    /// The number of samples queried.
    queried: u64,
}

/// The queries for one version, without intended differences.
struct QuerySet {
    words: Words,
    /// Whether a query is skipped.
    skipped: fn(&str) -> bool,
    /// Whether samples may be at the edges of windows.
    edges: bool,
}

#[test]
fn random_queries_agree_with_prometheus_2_42() {
    let set = QuerySet {
        words: WORDS,
        skipped: |query| SKIPPED.iter().any(|known| query.contains(known)),
        edges: false,
    };
    compare(&Release::installed().unwrap(), &set);
}

#[test]
#[ignore = "needs Prometheus 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn random_queries_agree_with_prometheus_3_5() {
    let set = QuerySet {
        words: NEWER_WORDS,
        skipped: |query| {
            let computed = query.contains("(time(), ") || query.contains("(scalar(");
            computed && query.contains(" @ ") || query.contains("histogram_fraction(-1e-300")
        },
        edges: true,
    };
    compare(&Release::sid().unwrap(), &set);
}

fn compare(release: &Release, set: &QuerySet) {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let series = samples(set.edges);
    let mut storage = MemoryStorage::new();
    for (labels, samples) in &series {
        for &(time, value) in samples {
            storage.insert(labels, Sample { time, value });
        }
    }
    let prometheus = Peer::start(release, &series);
    let queries = vectors(set.words);
    let mut alike = 0;
    let mut differ = Vec::new();
    for _ in 0..QUERIES {
        let query = queries.new_tree(&mut runner).unwrap().current();
        if (set.skipped)(&query) {
            continue;
        }
        let ours = evaluate(&storage, &query);
        let theirs = prometheus.query(&query);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => match difference(&ours.series, &theirs.series) {
                Some(difference) => differ.push(format!("{query}\n  {difference}")),
                None if ours.queried != theirs.queried => {
                    let (ours, theirs) = (ours.queried, theirs.queried);
                    differ.push(format!("{query}\n  queries {ours} and {theirs} samples"));
                }
                None => alike += usize::from(!ours.series.is_empty()),
            },
            (Err(_), Err(_)) => {}
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => {
                if !ONE_SIDED.iter().any(|known| error.contains(known)) {
                    differ.push(format!("{query}\n  ours {ours:?}\n  theirs {theirs:?}"));
                }
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
    assert!(alike > QUERIES / 3, "only {alike} results had any samples");
}

/// Counters, gauges and histograms with gaps and resets. Their times are multiples of 125 ms, which the text format
/// represents exactly; multiples of 500 ms, where windows have their edges, only with `edges`.
fn samples(edges: bool) -> Series {
    let mut state: u64 = 42;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut series = Series::new();
    for (x, job) in [
        ("", ""),
        ("", "api"),
        ("1", ""),
        ("1", "api"),
        ("2", ""),
        ("2", "api"),
    ] {
        for name in ["a_total", "b"] {
            let labels = Labels::new([(METRIC_NAME, name), ("x", x), ("job", job)]);
            let own = series.len() as f64 / 64.0;
            let mut value = 5000.0 + own;
            let times = times(&mut random, edges);
            let samples = times.into_iter().map(|time| {
                value = match (name, random(25)) {
                    ("b", _) => random(40) as f64 - 5.0 + own,
                    (_, 0) => 500.0 + random(30) as f64 + own,
                    _ => value + random(10) as f64,
                };
                (time, value)
            });
            let samples = samples.collect();
            series.insert(labels, samples);
        }
    }
    for x in ["1", "2"] {
        let times = times(&mut random, edges);
        let mut counts = vec![1000.0; times.len()];
        for le in ["0.5", "1", "2.5", "+Inf"] {
            let labels = [
                (METRIC_NAME, "h_bucket"),
                ("x", x),
                ("le", le),
                ("job", "api"),
            ];
            let mut more = 0.0;
            for count in &mut counts {
                more += random(4) as f64;
                *count += more;
            }
            let samples = times.iter().copied().zip(counts.iter().copied()).collect();
            series.insert(Labels::new(labels), samples);
        }
    }
    series
}

fn times(random: &mut impl FnMut(u64) -> u64, edges: bool) -> Vec<i64> {
    let mut time = random(30_000) as i64;
    let mut times = Vec::new();
    while time < 700_000 {
        time = time / 125 * 125;
        if time % 500 == 0 && !edges {
            time += 125;
        }
        times.push(time);
        time += match random(12) {
            0 => 100_000,
            1 => 1_000,
            _ => 9_000 + random(2_000) as i64,
        };
    }
    times
}

fn evaluate(storage: &MemoryStorage, query: &str) -> Result<Answer, String> {
    let expr = parse(query).map_err(|error| error.to_string())?;
    let outcome = Engine::default().range(storage, &expr, TIMES, &|| false);
    let outcome = outcome.map_err(|error| error.to_string())?;
    match outcome.value {
        Value::Matrix(series) => {
            let mut found = Series::new();
            for one in series {
                let samples = one.samples.iter().map(|sample| (sample.time, sample.value));
                let before = found.insert(one.labels, samples.collect());
                assert!(before.is_none(), "{query} gives equal labels twice");
            }
            Ok(Answer {
                series: found,
                queried: outcome.queried,
            })
        }
        other => Err(format!("{other:?}")),
    }
}

/// The first difference larger than 1e-9.
fn difference(ours: &Series, theirs: &Series) -> Option<String> {
    if !ours.keys().eq(theirs.keys()) {
        return Some(format!(
            "ours {:?}\n  theirs {:?}",
            ours.keys(),
            theirs.keys()
        ));
    }
    let pairs = ours.iter().zip(theirs.values());
    let mut differ = pairs.filter_map(|((labels, ours), theirs)| {
        let same = ours.len() == theirs.len()
            && ours
                .iter()
                .zip(theirs)
                .all(|(a, b)| a.0 == b.0 && close(a.1, b.1));
        (!same).then(|| format!("{labels}\n  ours {ours:?}\n  theirs {theirs:?}"))
    });
    differ.next()
}

fn close(a: f64, b: f64) -> bool {
    let both_nan = a.is_nan() && b.is_nan();
    both_nan || a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) || (a - b).abs() < 1e-12
}

/// A server that holds the series and scrapes nothing.
struct Peer {
    runtime: Runtime,
    prometheus: Prometheus,
}

impl Peer {
    fn start(release: &Release, series: &Series) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let started = runtime.block_on(release.with_samples(&open_metrics(series)));
        Self {
            runtime,
            prometheus: started.unwrap(),
        }
    }

    fn query(&self, query: &str) -> Result<Answer, String> {
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let times = (seconds(TIMES.start), seconds(TIMES.end));
        let step = seconds(TIMES.step);
        let answer = self.prometheus.query_range_counted(query, times, step);
        let answer = self.runtime.block_on(answer);
        let (series, queried) = answer.map_err(|error| error.to_string())?;
        let series = series.into_iter().map(|one| {
            let values = one.values.into_iter();
            let samples = values.map(|(time, value)| ((time * 1000.0).round() as i64, value));
            (Labels::new(one.labels), samples.collect())
        });
        let series = series.collect();
        Ok(Answer { series, queried })
    }
}

fn open_metrics(series: &Series) -> String {
    let mut text = String::new();
    let mut last = "";
    for (labels, samples) in series {
        if labels.metric() != last {
            last = labels.metric();
            writeln!(text, "# TYPE {last} unknown").unwrap();
        }
        let pairs = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        for (time, value) in samples {
            let (seconds, millis) = (time / 1000, time % 1000);
            writeln!(
                text,
                "{last}{{{}}} {value} {seconds}.{millis:03}",
                pairs.join(",")
            )
            .unwrap();
        }
    }
    text + "# EOF\n"
}
