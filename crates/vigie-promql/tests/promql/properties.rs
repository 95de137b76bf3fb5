//! Properties of all texts, queries and series.

use std::{cell::Cell, collections::BTreeMap, thread};

use crate::common::{Words, vectors};
use proptest::{prelude::*, sample::select};
use vigie_promql::{
    Engine, EvalError, Features, HistogramSample, Labels, Limits, NameRemoval, Outcome, Sample,
    TimeRange, Value, parse, parse_with,
    script::notation::{self, Point},
    storage::MemoryStorage,
    value::{VectorSample, stale_marker},
};

/// Words of the language in random order.
fn words() -> impl Strategy<Value = String> {
    let words = [
        "sum",
        "by",
        "without",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "=",
        "==",
        "!=",
        "=~",
        "!~",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "@",
        "offset",
        "and",
        "or",
        "unless",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "1",
        "0x1f",
        "1e3",
        ".5",
        "NaN",
        "Inf",
        "5m",
        "1h30m",
        "\"a\"",
        "'b'",
        "`c`",
        "\"\\xff\"",
        "x",
        "y_total",
        "a:b",
        "rate",
        "topk",
        "count_values",
        "start()",
        "end()",
        "step()",
        "range()",
        "min_of",
        "#c\n",
        "é",
        "\"",
        "histogram_quantile",
        "atan2",
        "fill",
        "</",
        "anchored",
        "{\"x y\"}",
        "x[5m]",
        "x[5m:1m]",
        "x{a=\"b\"}",
    ];
    let glued = any::<bool>();
    let words = prop::collection::vec((select(words.to_vec()), glued), 0..40);
    words.prop_map(|words| {
        let words = words.iter();
        words
            .map(|(word, glued)| {
                if *glued {
                    word.to_string()
                } else {
                    format!("{word} ")
                }
            })
            .collect()
    })
}

fn check_text(text: &str) {
    match parse_with(text, Features::Experimental) {
        Ok(expr) => {
            let printed = expr.to_string();
            let again = parse_with(&printed, Features::Experimental)
                .unwrap_or_else(|error| panic!("{text} printed as {printed}: {error}"));
            assert_eq!(again, expr, "{text} printed as {printed}");
            assert_eq!(again.to_string(), printed);
            assert!(expr.span().range().end <= text.len());
        }
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            assert!(text.is_char_boundary(error.span.start), "{error}");
            assert!(error.line <= text.lines().count().max(1) + 1);
        }
    }
}

/// Native histograms of several layouts.
const HISTOGRAMS: [&str; 5] = [
    "{{schema:0 count:4 sum:8 buckets:[1 2 1]}}",
    "{{schema:1 count:9 sum:-3 z_bucket:2 z_bucket_w:0.1 offset:-3 buckets:[3 0 2] n_buckets:[1 1]}}",
    "{{schema:-1 count:12 sum:1e300 buckets:[6 6] counter_reset_hint:gauge}}",
    "{{schema:-53 count:6 sum:NaN custom_values:[1 2] buckets:[1 2 3]}}",
    "{{schema:-53 count:8 sum:9 custom_values:[2 4 8] buckets:[1 2 3 2]}}",
];

/// A few series with few labels, so that they match; values of every kind, native histograms, gaps and stale markers.
fn series() -> impl Strategy<Value = MemoryStorage> {
    let labels = (
        select(&["a_total", "b", "h_bucket"][..]),
        select(&["", "1", "2"][..]),
        select(&["", "1", "+Inf", "0.5", "x"][..]),
        select(&["", "api"][..]),
    );
    let value = prop_oneof![
        6 => (0i32..50).prop_map(f64::from),
        1 => any::<f64>(),
        1 => select(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -0.0][..]),
        1 => Just(stale_marker()),
    ];
    let histogram = prop::option::weighted(0.2, select(&HISTOGRAMS[..]));
    let samples = prop::collection::vec((1i64..40_000, value, histogram), 0..40);
    prop::collection::vec((labels, samples), 0..8).prop_map(|series| {
        let mut storage = MemoryStorage::new();
        for ((name, x, le, job), samples) in series {
            let labels = Labels::new([("__name__", name), ("x", x), ("le", le), ("job", job)]);
            let mut time = 0;
            for (gap, value, histogram) in samples {
                time += gap;
                let Some(histogram) = histogram else {
                    storage.insert(&labels, Sample { time, value });
                    continue;
                };
                let points = notation::points(histogram).unwrap();
                let [Point::Histogram(written)] = &*points else {
                    unreachable!()
                };
                let histogram = written.histogram.clone();
                storage.insert_histogram(&labels, HistogramSample { time, histogram });
            }
        }
        storage
    })
}

fn engine(names: bool, samples: usize) -> Engine {
    Engine {
        name_removal: if names {
            NameRemoval::Delayed
        } else {
            NameRemoval::Immediate
        },
        limits: Limits {
            samples,
            points: 100,
            series: 20,
            ..Limits::default()
        },
        ..Engine::default()
    }
}

const TIMES: TimeRange = TimeRange {
    start: 0,
    end: 600_000,
    step: 37_000,
};

fn within(outcome: &Outcome, engine: &Engine) {
    assert!(outcome.peak_samples <= engine.limits.samples);
    match &outcome.value {
        Value::Matrix(series) => {
            assert!(series.len() <= engine.limits.series);
            assert!(series.is_sorted_by(|a, b| a.labels < b.labels));
            for one in series {
                assert!(!one.samples.is_empty() || !one.histograms.is_empty());
                assert!(one.samples.is_sorted_by(|a, b| a.time < b.time));
                assert!(one.histograms.is_sorted_by(|a, b| a.time < b.time));
            }
        }
        Value::Vector(samples) => assert!(samples.len() <= engine.limits.series),
        Value::Scalar(_) | Value::Text(_) => {}
    }
}

/// The values of a range query at one step: bits of floats, texts of histograms.
fn at(value: &Value, time: i64) -> BTreeMap<Labels, String> {
    let bits = |value: f64| match value.is_nan() {
        true => "NaN".to_owned(),
        false => format!("{:x}", value.to_bits()),
    };
    match value {
        Value::Matrix(series) => {
            let samples = series.iter().filter_map(|one| {
                let mut floats = one.samples.iter();
                let float = floats.find(|sample| sample.time == time);
                let float = float.map(|sample| bits(sample.value));
                let mut histograms = one.histograms.iter();
                let histogram = histograms.find(|sample| sample.time == time);
                let histogram = histogram.map(|sample| sample.histogram.to_string());
                Some((one.labels.clone(), float.or(histogram)?))
            });
            samples.collect()
        }
        Value::Vector(samples) => {
            let samples = samples.iter();
            let text = |sample: &VectorSample| match &sample.histogram {
                Some(histogram) => histogram.to_string(),
                None => bits(sample.value),
            };
            samples
                .map(|sample| (sample.labels.clone(), text(sample)))
                .collect()
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        check_text(&text);
    }

    #[test]
    fn any_words_are_parsed_or_refused(text in words()) {
        check_text(&text);
    }

    #[test]
    fn queries_print_as_themselves(text in vectors(Words::experimental())) {
        parse_with(&text, Features::Experimental).unwrap_or_else(|error| panic!("{text}: {error}"));
        check_text(&text);
    }

    /// Every step of a range query is bit-identical to an instant query at that time. Queries that depend on the order
    /// of series, which differs there, are skipped: the choice among equals, and the last bit of sums.
    #[test]
    fn range_queries_equal_instant_queries(text in vectors(Words::experimental()), storage in series(), names in any::<bool>()) {
        if ["topk", "bottomk", "sort", "limitk"].iter().any(|order| text.contains(order)) {
            return Ok(());
        }
        let expr = parse_with(&text, Features::Experimental).unwrap();
        let engine = engine(names, 1_000_000);
        let Ok(ranged) = engine.range(&storage, &expr, TIMES, &|| false) else {
            return Ok(());
        };
        within(&ranged, &engine);
        for time in (TIMES.start..=TIMES.end).step_by(TIMES.step as usize) {
            let once = engine.instant(&storage, &expr, time, &|| false);
            let once = once.unwrap_or_else(|error| panic!("{text} at {time}: {error}"));
            within(&once, &engine);
            prop_assert_eq!(at(&ranged.value, time), at(&once.value, time), "{} at {}", text, time);
        }
    }

    /// A query never exceeds its limits, and stops when interrupted.
    #[test]
    fn limits_hold(text in vectors(Words::experimental()), storage in series(), samples in 0usize..3000, calls_allowed in 0u32..200) {
        let expr = parse_with(&text, Features::Experimental).unwrap();
        let engine = engine(false, samples);
        let calls = Cell::new(0);
        let interrupted = || {
            calls.set(calls.get() + 1);
            calls.get() > calls_allowed
        };
        match engine.range(&storage, &expr, TIMES, &interrupted) {
            Ok(outcome) => {
                within(&outcome, &engine);
                prop_assert!(calls.get() <= calls_allowed);
            }
            Err(EvalError::Interrupted) => prop_assert!(calls.get() > calls_allowed),
            Err(_) => {}
        }
    }

    /// Extreme times cause no overflow.
    #[test]
    fn any_time_is_evaluated_or_refused(
        text in vectors(Words::experimental()),
        storage in series(),
        start in any::<i64>(),
        span in any::<i64>(),
        step in any::<i64>(),
    ) {
        let expr = parse_with(&text, Features::Experimental).unwrap();
        let engine = engine(false, 100_000);
        let _ = engine.instant(&storage, &expr, start, &|| false);
        let times = TimeRange { start, end: start.saturating_add(span), step };
        let _ = engine.range(&storage, &expr, times, &|| false);
        let times = TimeRange { start, end: start.saturating_add(600_000), step: 60_000 };
        let _ = engine.range(&storage, &expr, times, &|| false);
    }
}

/// A single series with many samples under wide windows is interrupted too.
#[test]
fn wide_windows_are_interrupted() {
    let mut storage = MemoryStorage::new();
    let labels = Labels::new([("__name__", "x")]);
    for time in 0..100_000 {
        storage.insert(&labels, Sample { time, value: 1.0 });
    }
    let expr = parse("max_over_time(x[100s])").unwrap();
    let times = TimeRange {
        start: 100_000,
        end: 199_000,
        step: 10,
    };
    let calls = Cell::new(0);
    let interrupted = || {
        calls.set(calls.get() + 1);
        calls.get() > 5
    };
    let outcome = Engine::default().range(&storage, &expr, times, &interrupted);
    assert!(matches!(outcome, Err(EvalError::Interrupted)));
}

#[test]
fn the_deepest_queries_are_evaluated_on_a_small_stack() {
    let run = || {
        let storage = MemoryStorage::new();
        let engine = Engine::default();
        for (left, right) in [
            ("abs(", ")"),
            ("1+(", ")"),
            ("max_over_time(", "[1m:])"),
            ("x or (", ")"),
            ("-", ""),
            ("sum(", ")"),
        ] {
            let query = format!("{}vector(1){}", left.repeat(48), right.repeat(48));
            let expr = parse(&query).unwrap();
            engine.instant(&storage, &expr, 0, &|| false).unwrap();
            let times = TimeRange {
                start: 0,
                end: 60_000,
                step: 60_000,
            };
            engine.range(&storage, &expr, times, &|| false).unwrap();
        }
        let long = parse(&format!("1{}", "+1".repeat(20_000))).unwrap();
        let outcome = engine.instant(&storage, &long, 0, &|| false).unwrap();
        assert_eq!(outcome.value, Value::Scalar(20_001.0));
    };
    let thread = thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap();
    thread.join().unwrap();
}
