//! Both formats, checked by a strict parser that shares no code with the encoder.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support;
use proptest::collection::vec;
use proptest::prelude::*;
use vigie_metrics::{Counter, Desc, Format, Gauge, Histogram, Registry};
use vigie_testkit::promtext::{Format as Parsed, Scrape};

static COUNTER: Desc<Counter, 2> = Desc::counter(
    "hostile_total",
    "Help with \\ and \"quotes\"\nand a line.",
    &["a", "b"],
);
static GAUGE: Desc<Gauge, 1> = Desc::gauge("hostile_bytes", "A gauge.", &["a"]);
static UNTYPED: Desc<Gauge, 1> = Desc::untyped("hostile_jobs_total", "Both.", &["a"]);
static HISTOGRAM: Desc<Histogram, 1> =
    Desc::histogram("hostile_seconds", "Durations.", &["a"], &support::BUCKETS);

/// Label values that resemble the surrounding syntax.
fn hostile() -> impl Strategy<Value = String> {
    let alphabet = prop::sample::select(vec![
        '"',
        '\\',
        '\n',
        '\r',
        '\t',
        ',',
        '=',
        '{',
        '}',
        '#',
        ' ',
        '\0',
        'n',
        'a',
        'é',
        '\u{1f989}',
        '\u{85}',
        '\u{2028}',
        '\u{ff}',
    ]);
    vec(alphabet, 0..12).prop_map(String::from_iter)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        prop::sample::select(vec![
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            1e15,
            0.1
        ]),
        any::<i32>().prop_map(f64::from),
    ]
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

proptest! {
    #[test]
    fn every_page_parses_and_says_what_was_recorded(
        counts in vec((hostile(), hostile(), 0_u64..1 << 53), 0..8),
        levels in vec((hostile(), number()), 0..8),
        durations in vec((hostile(), 0_u64..4_000_000_000_000), 0..20),
    ) {
        let registry = Registry::new();
        let counter = registry.family(&COUNTER);
        let gauge = registry.family(&GAUGE);
        let untyped = registry.family(&UNTYPED);
        let histogram = registry.family(&HISTOGRAM);
        let mut expected: BTreeMap<_, u64> = BTreeMap::new();
        for (a, b, n) in &counts {
            counter.add([a, b], *n);
            *expected.entry((a, b)).or_default() += n;
        }
        let mut last = BTreeMap::new();
        for (a, level) in &levels {
            gauge.set([a], *level);
            untyped.set([a], *level);
            last.insert(a, *level);
        }
        let mut timed: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        for (a, nanos) in &durations {
            histogram.observe([a], Duration::from_nanos(*nanos));
            let (count, sum) = timed.entry(a).or_default();
            *count += 1;
            *sum += nanos;
        }

        for (format, parsed) in [(Format::Text, Parsed::Text), (Format::OpenMetrics, Parsed::OpenMetrics)] {
            prop_assert_eq!(Parsed::of(format.content_type()), Some(parsed));
            let page = registry.expose(format);
            let scrape = match Scrape::parse(&page, parsed) {
                Ok(scrape) => scrape,
                Err(error) => return Err(TestCaseError::fail(format!("{error}\n{page}"))),
            };
            for ((a, b), n) in &expected {
                let value = scrape.value("hostile_total", &[("a", a), ("b", b)]);
                prop_assert_eq!(value, Some(*n as f64));
            }
            for (a, level) in &last {
                for name in ["hostile_bytes", "hostile_jobs_total"] {
                    let value = scrape.value(name, &[("a", a)]).unwrap();
                    prop_assert!(same(value, *level), "{} for {}", value, level);
                }
            }
            for (a, (count, sum)) in &timed {
                let value = |name| scrape.value(name, &[("a", a)]).unwrap();
                prop_assert_eq!(value("hostile_seconds_count"), *count as f64);
                prop_assert!((value("hostile_seconds_sum") - *sum as f64 / 1e9).abs() < 1e-6);
            }
            if format == Format::Text {
                let written = scrape.families().iter().flat_map(|family| &family.samples);
                let mut written: Vec<_> = written.collect();
                written.reverse();
                registry.visit(|name, labels, value| {
                    let sample = written.pop().unwrap();
                    assert_eq!(sample.name, name);
                    assert!(sample.labels.iter().map(|(name, value)| (&**name, &**value)).eq(labels.iter().copied()));
                    assert!(same(sample.value, value), "{name}: {} and {value}", sample.value);
                });
                prop_assert!(written.is_empty());
            }
            let help = &scrape.family(if format == Format::Text { "hostile_total" } else { "hostile" }).unwrap().help;
            prop_assert_eq!(help, COUNTER.meta().help);
        }
    }
}

#[test]
fn an_observation_falls_into_the_bucket_whose_bound_it_does_not_exceed() {
    let registry = Registry::new();
    let tick = registry.family(&support::TICK);
    for bound in support::BUCKETS.nanos {
        tick.observe([], Duration::from_nanos(*bound));
        tick.observe([], Duration::from_nanos(*bound + 1));
    }
    let scrape = Scrape::parse(&registry.expose(Format::Text), Parsed::Text).unwrap();
    for (n, bound) in support::BUCKETS.seconds.iter().enumerate() {
        let le = bound.to_string();
        let value = scrape.value("production_tick_duration_seconds_bucket", &[("le", &le)]);
        assert_eq!(value, Some((2 * n + 1) as f64), "le={le}");
    }
}

#[test]
fn recording_continues_while_a_metric_is_not_exposed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

    let registry = Registry::new();
    let (open, asked) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (is_open, ask) = (Arc::clone(&open), Arc::clone(&asked));
    registry.expose_while(
        |name| name.starts_with("hostile_"),
        move || {
            ask.fetch_add(1, Relaxed);
            is_open.load(Relaxed)
        },
    );
    let counter = registry.family(&COUNTER);
    registry.family(&GAUGE).set(["x"], 1.0);
    registry.family(&support::BUILD).set(["1", "2"], 1.0);
    counter.inc(["a", "b"]);
    let shown = || {
        let page = registry.expose(Format::Text);
        let scrape = Scrape::parse(&page, Parsed::Text).unwrap();
        assert!(scrape.family("build_info").is_some());
        let gauge = scrape.family("hostile_bytes").is_some();
        let count = scrape.value("hostile_total", &[("a", "a"), ("b", "b")]);
        assert_eq!(gauge, count.is_some());
        count
    };
    assert_eq!(shown(), Some(1.0));
    open.store(false, Relaxed);
    counter.inc(["a", "b"]);
    assert_eq!(shown(), None);
    open.store(true, Relaxed);
    assert_eq!(shown(), Some(2.0));
    assert_eq!(asked.load(Relaxed), 3, "once for every page");
}

#[test]
fn an_unknown_metric_is_neither_exposed_nor_visited() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    let registry = Registry::new();
    let known = Arc::new(AtomicBool::new(true));
    let is_known = Arc::clone(&known);
    registry.known_while(
        |name| name == "hostile_bytes",
        move || is_known.load(Relaxed),
    );
    registry.expose_while(|name| name == "hostile_total", || false);
    registry.family(&GAUGE).set(["x"], 1.0);
    registry.family(&COUNTER).inc(["a", "b"]);
    let seen = || {
        let (mut gauge, mut counter) = (false, false);
        registry.visit(|name, _, _| {
            gauge |= name == "hostile_bytes";
            counter |= name == "hostile_total";
        });
        let page = registry.expose(Format::Text);
        let scrape = Scrape::parse(&page, Parsed::Text).unwrap();
        assert_eq!(scrape.family("hostile_bytes").is_some(), gauge);
        assert!(counter, "it is withheld from the pages only");
        gauge
    };
    assert!(seen());
    known.store(false, Relaxed);
    assert!(!seen());
    known.store(true, Relaxed);
    assert!(seen());
}

proptest! {
    /// Label values survive escaping, and find their series again.
    #[test]
    fn label_values_are_preserved(values in vec([r#"["\\\n,=a-z]{0,6}"#, ".{0,4}"], 1..20)) {
        let registry = Registry::new();
        let counter = registry.family(&COUNTER);
        for [a, b] in &values {
            let series = counter.series([a, b]);
            prop_assert_eq!(series.labels(), [a.as_str(), b.as_str()]);
            series.inc();
        }
        let sum: u64 = values.iter().map(|[a, b]| counter.series([a, b])).fold(Vec::new(), |mut all, series| {
            if !all.iter().any(|known| std::sync::Arc::ptr_eq(known, &series)) {
                all.push(series);
            }
            all
        }).iter().map(|series| series.get()).sum();
        prop_assert_eq!(sum, values.len() as u64);
    }
}
