//! Exposing 100,000 sample lines: half of them counters, half the lines of histograms.

use std::hint::black_box;
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter as PeerCounter;
use prometheus_client::metrics::family::Family as PeerFamily;
use prometheus_client::metrics::histogram::Histogram as PeerHistogram;
use vigie_metrics::{Buckets, Counter, Desc, Format, Histogram, Registry, buckets};

use crate::Options;
use crate::report::{Table, Targets, figure, heading};
use crate::rounds::interleaved;

const LINES: usize = 100_000;
/// 11 finite bounds, `+Inf`, sum and count.
const LINES_A_HISTOGRAM: usize = 14;

static BOUNDS: Buckets = buckets![
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
];
static COUNTERS: Desc<Counter, 3> =
    Desc::counter("bench_total", "Counters.", &["method", "route", "code"]).max_series(LINES);
static HISTOGRAMS: Desc<Histogram, 3> = Desc::histogram(
    "bench_seconds",
    "Histograms.",
    &["method", "route", "code"],
    &BOUNDS,
)
.max_series(LINES);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    code: &'static str,
}

pub(crate) fn run(options: &Options) {
    let registry = Registry::new();
    let counters = registry.family(&COUNTERS);
    let histograms = registry.family(&HISTOGRAMS);
    let mut peer = prometheus_client::registry::Registry::default();
    let peer_counters = PeerFamily::<Labels, PeerCounter>::default();
    let new = || PeerHistogram::new(BOUNDS.seconds.iter().copied());
    let peer_histograms: PeerFamily<Labels, PeerHistogram, fn() -> PeerHistogram> =
        PeerFamily::new_with_constructor(new);
    peer.register("bench", "Counters", peer_counters.clone());
    peer.register("bench_seconds", "Histograms", peer_histograms.clone());

    let route = |n| format!("/players/:id/things/{n}");
    let labels = |n| Labels {
        method: "GET",
        route: route(n),
        code: "200",
    };
    for n in 0..LINES / 2 {
        counters.add(["GET", &route(n), "200"], n as u64);
        peer_counters.get_or_create(&labels(n)).inc_by(n as u64);
    }
    for n in 0..LINES / 2 / LINES_A_HISTOGRAM {
        let micros = (n % 4096) as u64;
        histograms.observe(["GET", &route(n), "200"], Duration::from_micros(micros));
        peer_histograms
            .get_or_create(&labels(n))
            .observe(micros as f64 / 1e6);
    }

    let mut ours = || {
        let start = Instant::now();
        black_box(registry.expose(Format::Text));
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut peers = || {
        let start = Instant::now();
        let mut page = String::new();
        if text::encode(&mut page, &peer).is_err() {
            return f64::NAN;
        }
        black_box(page);
        start.elapsed().as_secs_f64() * 1e3
    };
    let [ours, peer] = interleaved(options.rounds, [&mut ours, &mut peers]);
    heading("Exposing 100,000 lines");
    let mut table = Table::new(["vigie", "prometheus-client", "ratio"]);
    table.row([
        format!("{} ms", figure(ours)),
        format!("{} ms", figure(peer)),
        format!("{}x", figure(peer / ours)),
    ]);
    table.print();
    let mut targets = Targets::new();
    targets.at_least("speed of exposing", 5.0, peer / ours, "x");
    targets.print();
}
