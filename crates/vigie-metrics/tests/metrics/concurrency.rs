//! Concurrent recording, creation, removal and exposition lose no updates.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use crate::support;
use vigie_metrics::{Counter, Desc, Format, Gauge, Registry};

static BOUNDED: Desc<Counter, 1> =
    Desc::counter("bounded_total", "A bounded one.", &["n"]).max_series(10);

#[test]
fn every_recording_is_counted_once() {
    let registry = Registry::new();
    let requests = registry.family(&support::REQUESTS);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for n in 0..20_000_u64 {
                        let route = format!("/r/{}", n % 50);
                        requests.observe(["GET", &route, "200"], Duration::from_nanos(n));
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                let page = registry.expose(Format::Text);
                assert!(page.contains("http_request_duration_seconds"));
                // Removing unrelated series has no effect on the others.
                requests.retain(|labels| labels[1] != "/none");
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Relaxed);
    });
    let count: u64 = (0..50)
        .map(|n| requests.series(["GET", &format!("/r/{n}"), "200"]).count())
        .sum();
    assert_eq!(count, 80_000);
    assert_eq!(requests.len(), 50);
}

#[test]
fn series_beyond_the_limit_are_refused_and_counted() {
    let registry = Registry::new();
    let bounded = registry.family(&BOUNDED);
    for n in 0..25 {
        bounded.inc([&n.to_string()]);
    }
    assert_eq!(bounded.len(), 10);
    let page = registry.expose(Format::Text);
    assert!(
        page.contains("vigie_series_refused_total{metric=\"bounded_total\"} 15\n"),
        "{page}"
    );
    bounded.retain(|[n]| n != "3");
    bounded.inc(["new"]);
    assert!(
        registry
            .expose(Format::Text)
            .contains("bounded_total{n=\"new\"} 1\n")
    );
}

#[test]
fn unknown_values_are_absent() {
    let registry = Registry::new();
    let level = registry.family(&support::JOBS).series(["mail", "waiting"]);
    assert!(!registry.expose(Format::Text).contains("queue_jobs_total{"));
    level.set(12.0);
    let line = "queue_jobs_total{queue=\"mail\",state=\"waiting\"} 12\n";
    assert!(registry.expose(Format::Text).contains(line));
    level.forget();
    assert!(
        !registry
            .expose(Format::OpenMetrics)
            .contains("queue_jobs_total{")
    );
}

#[test]
fn concurrent_calls_get_the_same_family() {
    for _ in 0..100 {
        let registry = Registry::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| registry.family(&BOUNDED).inc(["a"]));
            }
        });
        assert_eq!(registry.family(&BOUNDED).series(["a"]).get(), 4);
    }
}

static COLLECTED: Desc<Gauge, 0> = Desc::gauge("collected", "A collected one.", &[]);

#[test]
#[should_panic(expected = "collected is registered twice")]
fn a_collected_value_is_registered_once() {
    let registry = Registry::new();
    registry.collect(&COLLECTED, || Some(1.0));
    registry.collect(&COLLECTED, || Some(2.0));
}
