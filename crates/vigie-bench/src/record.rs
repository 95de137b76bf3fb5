//! The record path: a histogram and a counter with labels method, route and code, looked up at each call.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use vigie_metrics::Registry;

use crate::Options;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::interleaved;

const OPERATIONS: usize = 1_000_000;

/// Labels as a careful user of `prometheus-client` keeps them: only the route is a string.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: std::sync::Arc<str>,
    code: &'static str,
}

pub(crate) fn run(options: &Options) {
    heading("Recording a request");
    note("Nanoseconds for a labelled histogram and a labelled counter, looked up at each call.");
    let mut table = Table::new([
        "threads",
        "label sets",
        "vigie",
        "prometheus-client",
        "ratio",
    ]);
    let mut targets = Targets::new();
    for (threads, routes) in [(1, 200), (2, 200), (2, 1)] {
        let sets = routes;
        let routes: Vec<std::sync::Arc<str>> = (0..routes)
            .map(|n| format!("/players/:id/things/{n}").into())
            .collect();

        let registry = Registry::new();
        let duration = registry.family(&vigie_traffic::metrics::HTTP_REQUEST_DURATION);
        let errors = registry.family(&vigie_traffic::metrics::HTTP_REQUESTS_ERRORS);
        let mut ours = || {
            on_threads(threads, |at| {
                let labels = ["GET", &*routes[at % routes.len()], "200"];
                duration.observe(labels, Duration::from_micros((at % 4096) as u64));
                errors.inc(labels);
            })
        };

        let histogram = || {
            Histogram::new(
                vigie_traffic::metrics::REQUEST_BUCKETS
                    .seconds
                    .iter()
                    .copied(),
            )
        };
        let peer_duration: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(histogram);
        let peer_errors = Family::<Labels, Counter>::default();
        let mut peer = || {
            on_threads(threads, |at| {
                let labels = Labels {
                    method: "GET",
                    route: std::sync::Arc::clone(&routes[at % routes.len()]),
                    code: "200",
                };
                let seconds = (at % 4096) as f64 / 1e6;
                peer_duration.get_or_create(&labels).observe(seconds);
                peer_errors.get_or_create(&labels).inc();
            })
        };
        let [ours, peer] = interleaved(options.rounds, [&mut ours, &mut peer]);
        let ratio = peer / ours;
        table.row([
            threads.to_string(),
            sets.to_string(),
            format!("{} ns", figure(ours)),
            format!("{} ns", figure(peer)),
            format!("{}x", figure(ratio)),
        ]);
        let what = format!("speed with {threads} threads, label sets: {sets}");
        targets.at_least(&what, 2.0, ratio, "x");
    }
    table.print();
    targets.print();
}

/// Nanoseconds of wall time an operation takes on each of the threads.
fn on_threads(threads: usize, operation: impl Fn(usize) + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let elapsed = std::thread::scope(|scope| {
        let run = || {
            barrier.wait();
            let start = Instant::now();
            (0..OPERATIONS).for_each(&operation);
            start.elapsed()
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles
            .into_iter()
            .filter_map(|handle| handle.join().ok())
            .max()
    });
    elapsed.unwrap_or_default().as_nanos() as f64 / OPERATIONS as f64
}
