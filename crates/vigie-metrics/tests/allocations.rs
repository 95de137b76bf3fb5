//! Recording into an existing series of any type does not allocate.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

#[path = "metrics/support/mod.rs"]
mod support;

use vigie_metrics::Registry;
use vigie_testkit::allocator::{Counting, thread};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of allocations of this thread while `work` runs.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = thread::allocations();
    work();
    thread::allocations() - before
}

#[test]
fn the_count_sees_allocations() {
    // The optimizer may remove an unused allocation.
    assert_eq!(allocations(|| drop(black_box(Box::new(7)))), 1);
    let grows = || {
        let mut text = black_box(String::from("a"));
        text.push_str("bb");
        black_box(text);
    };
    assert_eq!(allocations(grows), 2);
    assert_eq!(allocations(|| {}), 0);
}

#[test]
fn recording_into_an_existing_series_allocates_nothing() {
    let registry = Registry::new();
    let requests = registry.family(&support::REQUESTS);
    let errors = registry.family(&support::ERRORS);
    let jobs = registry.family(&support::JOBS);
    let routes: Vec<String> = (0..100).map(|n| format!("/players/:id/{n}")).collect();
    let record = |times: u64| {
        for n in 0..times {
            for route in &routes {
                let labels = ["GET", route, "200"];
                requests.observe(labels, Duration::from_micros(n * 5_003));
                errors.inc(labels);
                errors.add(labels, n);
                jobs.set([route, "waiting"], n as f64);
                jobs.forget([route, "waiting"]);
            }
        }
    };
    assert!(
        allocations(|| record(1)) > 0,
        "the first time makes the series"
    );
    assert_eq!(allocations(|| record(1_000)), 0);
}

#[test]
fn recording_on_a_second_thread_allocates_nothing() {
    let registry = Registry::new();
    let requests = registry.family(&support::REQUESTS);
    let labels = ["GET", "/players/:id", "200"];
    requests.observe(labels, Duration::ZERO);
    let observe = || {
        // The first access of a thread may initialize the lock's per-thread state.
        requests.observe(labels, Duration::ZERO);
        allocations(|| {
            for n in 0..1_000 {
                requests.observe(labels, Duration::from_micros(n));
            }
        })
    };
    let counts = std::thread::scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(observe));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(counts, [0, 0]);
    assert_eq!(requests.series(labels).count(), 2_003);
}

#[test]
fn recording_into_a_held_series_allocates_nothing() {
    let registry = Registry::new();
    let request = registry
        .family(&support::REQUESTS)
        .series(["GET", "/", "200"]);
    let error = registry
        .family(&support::ERRORS)
        .series(["GET", "/", "500"]);
    let level = registry.family(&support::JOBS).series(["mail", "waiting"]);
    let record = || {
        for n in 0..1_000 {
            request.observe(Duration::from_millis(n));
            error.inc();
            level.add(1.0);
            level.set(n as f64);
        }
    };
    assert_eq!(allocations(record), 0);
}
