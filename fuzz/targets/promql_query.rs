//! Any text is parsed or refused; what is parsed prints as itself, and is evaluated within its limits over any samples.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_promql::{Engine, Labels, Limits, Sample, TimeRange, parse, storage::MemoryStorage};

fuzz_target!(|input: (&str, Vec<(u8, i16, f64)>, i64, u16)| {
    let (query, samples, start, step) = input;
    let Ok(expr) = parse(query) else {
        return;
    };
    let printed = expr.to_string();
    if printed.len() <= vigie_promql::syntax::MAX_QUERY_BYTES {
        assert_eq!(parse(&printed).expect("what is printed is parsed"), expr);
    }
    let mut storage = MemoryStorage::new();
    let mut time = 0;
    for (series, gap, value) in samples.into_iter().take(500) {
        time += i64::from(gap).abs() * 100;
        let name = ["a_total", "b", "h_bucket"][usize::from(series) % 3];
        let le = ["", "1", "+Inf"][usize::from(series) / 3 % 3];
        let labels = Labels::new([("__name__", name), ("le", le)]);
        storage.insert(&labels, Sample { time, value });
    }
    let engine = Engine {
        limits: Limits {
            samples: 100_000,
            points: 200,
            series: 100,
            bytes: 8 << 20,
            ..Limits::default()
        },
        ..Engine::default()
    };
    let _ = engine.instant(&storage, &expr, start, &|| false);
    let times = TimeRange {
        start: 0,
        end: 600_000,
        step: i64::from(step),
    };
    let ranged = engine.range(&storage, &expr, times, &|| false);
    assert!(ranged.map_or(0, |outcome| outcome.peak_samples) <= 100_000);
});
