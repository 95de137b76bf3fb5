//! Every loop over series, steps, samples and labels calls `interrupted` regularly, and stops.

use std::cell::Cell;

use vigie_promql::{
    Engine, EvalError, Labels, Outcome, Sample, TimeRange, parse, storage::MemoryStorage,
};

const SERIES: usize = 100;
const STEPS: usize = 300;
/// The maximum number of samples read or computed between two calls.
const CHECK_INTERVAL: usize = 8_192;

fn storage() -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    for series in 0..SERIES {
        for name in ["x", "y"] {
            let le = ["1", "5", "+Inf"][series % 3];
            let (a, b) = (series.to_string(), (series / 3).to_string());
            let labels = Labels::new([("__name__", name), ("a", &a), ("b", &b), ("le", le)]);
            for minute in 0..10_u32 {
                let time = i64::from(minute) * 60_000;
                let value = f64::from(minute * 7 % 5);
                storage.insert(&labels, Sample { time, value });
            }
        }
    }
    storage
}

/// Evaluates over all steps; `interrupted` returns `true` from call number `last` on. Also returns the number of calls.
fn evaluate(
    storage: &MemoryStorage,
    query: &str,
    steps: usize,
    last: usize,
) -> (Result<Outcome, EvalError>, usize) {
    let calls = Cell::new(0);
    let interrupted = || {
        calls.set(calls.get() + 1);
        calls.get() >= last
    };
    let expr = parse(query).unwrap();
    let engine = Engine::default();
    let result = if steps == 1 {
        engine.instant(storage, &expr, 600_000, &interrupted)
    } else {
        let times = TimeRange {
            start: 0,
            end: 1_000 * (steps as i64 - 1),
            step: 1_000,
        };
        engine.range(storage, &expr, times, &interrupted)
    };
    (result, calls.get())
}

#[test]
fn every_loop_can_be_interrupted() {
    let storage = storage();
    for query in [
        "x",
        "-x",
        "x + 1",
        "x > 1",
        "1 + 2",
        "abs(x)",
        "round(x, 2)",
        "clamp(x, 1, 2)",
        "hour(x)",
        "timestamp(x)",
        "scalar(x)",
        "absent(x)",
        "sort(x)",
        "sort_desc(x @ 100)",
        "label_replace(x, \"c\", \"$1\", \"a\", \"(.*)\")",
        "label_join(x, \"c\", \"-\", \"a\", \"b\")",
        "histogram_quantile(0.9, x)",
        "histogram_fraction(0, 1, x)",
        "sum(x)",
        "sum by (b) (x)",
        "avg without (b) (x)",
        "quantile(0.5, x)",
        "count_values(\"v\", x)",
        "topk(3, x)",
        "bottomk by (le) (100, x)",
        "x + y",
        "x + on(a) group_left(b) y",
        "sum by (b) (x) * on(b) group_right() y",
        "x and y",
        "x unless y",
        "x or y",
        "rate(x[2m])",
        "max_over_time(x[10m])",
        "quantile_over_time(0.5, x[10m])",
        "predict_linear(x[10m], 1)",
        "absent_over_time(x[2m])",
        "sum_over_time(x[1m:1s])",
        "sum_over_time((x + y)[1m:10s])",
    ] {
        for steps in [STEPS, 1] {
            let (result, calls) = evaluate(&storage, query, steps, usize::MAX);
            let samples = result
                .unwrap_or_else(|error| panic!("{query}: {error}"))
                .samples;
            assert!(
                calls * CHECK_INTERVAL >= samples,
                "{query}: {calls} calls for {samples} samples"
            );
            // Interrupts at the first and the last call, and at some between.
            for part in 1..=6 {
                let last = (calls * part / 6).max(1);
                let (result, again) = evaluate(&storage, query, steps, last);
                assert!(
                    matches!(result, Err(EvalError::Interrupted)),
                    "{query}: returned a result although call {last} of {calls} interrupted it"
                );
                // Within a series the windows stop at one call, and the evaluation at the next.
                assert!(
                    again <= last + 1,
                    "{query}: interrupted at call {last}, continued to call {again}"
                );
            }
        }
    }
}

#[test]
fn the_samples_held_are_counted_at_their_peak() {
    let storage = storage();
    let outcome = |query| evaluate(&storage, query, STEPS, usize::MAX).0.unwrap();
    let one = outcome("sum(-x)");
    let many =
        outcome("sum(-x) + sum(-x) + sum(-x) + sum(-x) + sum(-x) + sum(-x) + sum(-x) + sum(-x)");
    assert!(one.peak_samples >= SERIES * STEPS, "{}", one.peak_samples);
    // The series of a selector are folded one by one.
    let folded = outcome("sum(x)");
    assert!(folded.peak_samples < 10 * STEPS, "{}", folded.peak_samples);
    assert!(
        many.peak_samples < one.peak_samples + 3 * STEPS,
        "{} and {}",
        one.peak_samples,
        many.peak_samples
    );
    assert!(many.samples > 8 * SERIES * STEPS, "{}", many.samples);
    let limits = |samples| {
        let mut engine = Engine::default();
        engine.limits.samples = samples;
        let expr = parse("sum(-x) + sum(-x) + sum(-x)").unwrap();
        let times = TimeRange {
            start: 0,
            end: 299_000,
            step: 1_000,
        };
        engine.range(&storage, &expr, times, &|| false)
    };
    assert!(limits(one.peak_samples + 3 * STEPS).is_ok());
    assert!(matches!(
        limits(one.peak_samples / 2),
        Err(EvalError::TooManySamples { .. })
    ));
}
