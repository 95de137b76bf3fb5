//! Every metric Vigie exposes, and the sources it depends on. Each crate describes its own metrics; `docs/METRICS.md`
//! lists them all.

use vigie_metrics::{Kind, Meta};

/// The `source` labels of `vigie_source_up`.
pub const SOURCES: [&str; 5] = ["app", "capture", "redis", "events", "database"];

/// The sources without which a metric has no current value, as in the label `source` of `vigie_source_up`.
pub type Sources = &'static [&'static str];

/// The descriptions of all metrics.
#[must_use]
pub fn all() -> Vec<&'static Meta> {
    described().into_iter().map(|(meta, _)| meta).collect()
}

/// The sources of a metric, by the name of one of its samples. `None` if there is no such metric.
#[must_use]
pub fn sources(metric: &str) -> Option<Sources> {
    let mut found = described()
        .into_iter()
        .filter(|(meta, _)| is_sample_of(metric, meta));
    found.next().map(|(_, sources)| sources)
}

/// The sources of the metrics of a crate.
type Rule = fn(&Meta) -> Sources;

/// All metrics with their sources. A crate states the sources of all its metrics at once, so that a new metric has
/// them too.
fn described() -> Vec<(&'static Meta, Sources)> {
    let crates: [(_, Rule); 9] = [
        // Measured by Vigie itself.
        (vigie_gateway::metrics::all(), |_| &[]),
        // Of the gateway there is no `vigie_source_up`: it is up while Vigie runs.
        (vigie_traffic::metrics::all(), |_| &["capture"]),
        (vigie_capture::metrics::all(), |_| &[]),
        (vigie_bullmq::metrics::all(), of_queues),
        // A check that fails is a value.
        (vigie_probes::metrics::all(), |_| &[]),
        (crate::metrics::all(), |_| &[]),
        (crate::alerting::metrics::all(), |_| &[]),
        (vigie_notify::metrics::all(), |_| &[]),
        (vigie_metrics::own::all(), |_| &[]),
    ];
    let crates = crates.into_iter();
    crates
        .flat_map(|(metas, sources)| metas.into_iter().map(move |meta| (meta, sources(meta))))
        .collect()
}

/// Levels are read from Redis, counts from the event streams in it.
fn of_queues(meta: &Meta) -> Sources {
    match meta.kind {
        Kind::Gauge => &["redis"],
        Kind::Counter | Kind::Histogram => &["events"],
        Kind::Untyped => &["redis", "events"],
    }
}

/// Whether `sample` is the name of a sample of the metric: of a histogram there are three.
fn is_sample_of(sample: &str, meta: &Meta) -> bool {
    let suffix = sample.strip_prefix(meta.name);
    match meta.kind {
        Kind::Histogram => matches!(suffix, Some("_bucket" | "_sum" | "_count")),
        _ => suffix == Some(""),
    }
}
