//! Recording a request on a known route does not allocate.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use crate::metrics;
use vigie_metrics::Registry;
use vigie_testkit::allocator::{Counting, thread};

use super::{Answer, Limits, Routes};
use crate::Settings;
use crate::record::{Answered, Metrics, Record};
use crate::streams::Rules;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations of this thread while `work` runs.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = thread::allocations();
    work();
    thread::allocations() - before
}

/// Configured ones of every kind; what they do not match is learned.
const PATTERNS: [&str; 4] = [
    "/users/:id",
    "/users/me/settings",
    "POST /orders/{id}/items",
    "/static/*",
];

const KNOWN: [(&str, &str, &str); 6] = [
    ("GET", "/users/42?full=1", "/users/:id"),
    ("GET", "/users/me/settings", "/users/me/settings"),
    ("POST", "/orders/7/items", "/orders/{id}/items"),
    ("GET", "/static/js/app.js", "/static/*"),
    (
        "GET",
        "/players/42/things/7f3a9c1e-0d53-4b6e-9d5a-2f1f6a3f4b11",
        "/players/:id/things/:id",
    ),
    ("GET", "/", "/"),
];

fn routes() -> Routes {
    Routes::new(&PATTERNS, Limits::default()).unwrap()
}

#[test]
fn finding_a_known_route_allocates_nothing() {
    let routes = routes();
    for (method, path, label) in KNOWN {
        let learn = || {
            for _ in 0..Limits::default().promote_after {
                routes.resolve(method, path, Answer::Status(200), Duration::ZERO);
            }
        };
        learn();
        assert_eq!(
            &*routes.resolve(method, path, Answer::Status(200), Duration::ZERO),
            label
        );
    }
    for _ in 0..Limits::default().promote_after {
        routes.resolve("GET", "/broken/7", Answer::Status(500), Duration::ZERO);
    }
    let failing = || {
        let route = routes.resolve("GET", "/broken/8", Answer::Status(500), Duration::ZERO);
        assert_eq!(&*route, "/broken/:id");
    };
    assert_eq!(allocations(failing), 0);
    let find = || {
        for _ in 0..1_000 {
            for (method, path, _) in KNOWN {
                drop(routes.resolve(method, path, Answer::Status(200), Duration::ZERO));
                drop(routes.resolve(method, path, Answer::Status(500), Duration::ZERO));
            }
        }
    };
    assert_eq!(allocations(find), 0);
    let unknown = || drop(routes.resolve("GET", "/new/path", Answer::Status(200), Duration::ZERO));
    assert!(allocations(unknown) > 0, "learning is what costs memory");
}

#[test]
fn recording_a_request_on_a_known_route_allocates_nothing() {
    let registry = Registry::new();
    let metrics = Arc::new(Metrics::new(
        &registry,
        routes(),
        Rules::new(&Settings::default()).unwrap(),
        false,
    ));
    let mut buffer = String::new();
    let mut record = |times: u32| {
        for _ in 0..times {
            for (method, path, _) in KNOWN {
                for code in [200, 500] {
                    let path_buffer = std::mem::take(&mut buffer);
                    let record =
                        Record::begin(&metrics, Duration::ZERO, method, path, path_buffer, true);
                    let answer = Answer::Status(code);
                    record.count(Duration::ZERO, &Answered { code, answer });
                    buffer = record.into_buffer();
                }
            }
        }
    };
    // Learns the routes and creates the series.
    record(Limits::default().promote_after + 1);
    assert_eq!(allocations(|| record(1_000)), 0);

    let duration = registry.family(&metrics::HTTP_REQUEST_DURATION);
    let labels = ["POST", "/orders/{id}/items", "500"];
    let recorded = u64::from(Limits::default().promote_after) + 1 + 1_000;
    assert_eq!(duration.series(labels).count(), recorded);
}
