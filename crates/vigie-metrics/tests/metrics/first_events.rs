//! A regular client gets a new count as 0 once, and never sees it decrease.

use std::time::Duration;

use crate::support;
use vigie_metrics::{Epoch, Format, Registry, Scrape, View};
use vigie_testkit::promtext::{Format as Parsed, Scrape as Page};

fn page(registry: &Registry, scrape: Option<Scrape>) -> Page {
    let view = View {
        scrape,
        ..Format::Text.into()
    };
    Page::parse(&registry.expose(view), Parsed::Text).unwrap()
}

#[test]
fn a_new_count_is_zero_in_one_scrape_of_each_client() {
    let registry = Registry::new();
    let jobs = registry.family(&support::JOBS);
    let known = jobs.series(["known", "failed"]);
    let first = registry.begin_scrape();
    page(
        &registry,
        Some(Scrape {
            epoch: first,
            zero_since: first,
        }),
    );
    let labels = ["GET", "/new", "500"];
    registry.family(&support::ERRORS).add(labels, 40);
    registry
        .family(&support::REQUESTS)
        .observe(labels, Duration::from_millis(30));
    known.set(40.0);
    jobs.set(["new", "failed"], 40.0);
    jobs.set(["new", "waiting"], 3.0);

    let values = |page: &Page| {
        let labels = [("method", "GET"), ("route", "/new"), ("code", "500")];
        let state = |queue, state| {
            page.value("queue_jobs_total", &[("queue", queue), ("state", state)])
                .unwrap()
        };
        [
            page.value("http_requests_errors_total", &labels).unwrap(),
            page.value("http_request_duration_seconds_count", &labels)
                .unwrap(),
            page.value("http_request_duration_seconds_sum", &labels)
                .unwrap(),
            state("known", "failed"),
            state("new", "failed"),
            state("new", "waiting"),
        ]
    };
    let (held, true_values) = (
        [0.0, 0.0, 0.0, 0.0, 0.0, 3.0],
        [40.0, 1.0, 0.03, 40.0, 40.0, 3.0],
    );
    // The value of `known` was unknown in the first scrape.
    let second = registry.begin_scrape();
    assert_eq!(
        values(&page(
            &registry,
            Some(Scrape {
                epoch: second,
                zero_since: first
            })
        )),
        held
    );
    // Other clients are not affected.
    assert_eq!(values(&page(&registry, None)), true_values);
    let third = registry.begin_scrape();
    assert_eq!(
        values(&page(
            &registry,
            Some(Scrape {
                epoch: third,
                zero_since: third
            })
        )),
        true_values
    );
    let fourth = registry.begin_scrape();
    assert_eq!(
        values(&page(
            &registry,
            Some(Scrape {
                epoch: fourth,
                zero_since: second
            })
        )),
        true_values
    );
    let all = Scrape {
        epoch: fourth,
        zero_since: Epoch::START,
    };
    assert_eq!(values(&page(&registry, Some(all))), held);
}

#[test]
fn a_count_never_decreases() {
    let registry = Registry::new();
    let errors = registry.family(&support::ERRORS);
    let routes: Vec<_> = (0..3_000).map(|n| format!("/{n}")).collect();
    std::thread::scope(|scope| {
        let recorder = scope.spawn(|| {
            routes
                .iter()
                .for_each(|route| errors.add(["GET", route, "500"], 40))
        });
        let mut last = vec![None; routes.len()];
        let mut zero_since = Epoch::START;
        let mut ends = false;
        while !ends {
            ends = recorder.is_finished();
            let epoch = registry.begin_scrape();
            let page = page(&registry, Some(Scrape { epoch, zero_since }));
            zero_since = epoch;
            for (last, route) in last.iter_mut().zip(&routes) {
                let labels = [("method", "GET"), ("route", route), ("code", "500")];
                let value = page.value("http_requests_errors_total", &labels);
                match (*last, value) {
                    (None, value) => assert!(
                        value.is_none_or(|value| value == 0.0),
                        "{route} begins at {value:?}"
                    ),
                    (Some(last), value) => assert!(value.unwrap() >= last, "{route} fell"),
                }
                *last = value;
            }
        }
    });
}

#[test]
fn created_lines_are_valid() {
    let registry = Registry::new();
    let labels = ["GET", "/", "500"];
    registry.family(&support::ERRORS).inc(labels);
    registry
        .family(&support::REQUESTS)
        .observe(labels, Duration::ZERO);
    registry.family(&support::TICK).observe([], Duration::ZERO);
    registry.family(&support::JOBS).set(["mail", "failed"], 1.0);
    let view = |format, created| View {
        created,
        ..View::from(format)
    };
    let text = registry.expose(view(Format::OpenMetrics, true));
    let page =
        Page::parse(&text, Parsed::OpenMetrics).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let labels = [("method", "GET"), ("route", "/"), ("code", "500")];
    for (name, labels) in [
        ("http_requests_errors_created", &labels[..]),
        ("http_request_duration_seconds_created", &labels),
        ("production_tick_duration_seconds_created", &[]),
    ] {
        assert!(page.value(name, labels).unwrap() > 1.7e9, "{name}");
    }
    assert!(!text.contains("queue_jobs_total_created") && !text.contains("queue_jobs_created"));
    for page in [view(Format::Text, true), view(Format::OpenMetrics, false)] {
        assert!(!registry.expose(page).contains("_created"));
    }
}
