//! Every metric has a conventional name, a description and bounded labels, and is listed in `docs/METRICS.md`.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use vigie::catalogue;
use vigie_bullmq::metrics::{MAX_QUEUES, TICK_BUCKETS};
use vigie_metrics::{Kind, Meta};
use vigie_traffic::metrics::REQUEST_BUCKETS;

#[test]
fn names_follow_the_conventions() {
    let mut seen = HashSet::new();
    for meta in catalogue::all() {
        let name = meta.name;
        assert!(seen.insert(name), "{name} is described twice");
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(allowed), "{name}: characters");
        for forbidden in ["_milliseconds", "_ms", "_percent", "_kb", "_minutes"] {
            assert!(!name.contains(forbidden), "{name}: not a base unit");
        }
        match meta.kind {
            Kind::Counter => assert!(name.ends_with("_total"), "{name}: a counter"),
            // The name is given by the specification; the metric mixes gauges and counters.
            Kind::Untyped => assert_eq!(name, "queue_jobs_total"),
            Kind::Gauge => assert!(!name.ends_with("_total"), "{name}: a gauge"),
            Kind::Histogram => assert!(name.ends_with("_seconds"), "{name}: a duration"),
        }
        let state_label = meta.states.map(|states| states.label);
        assert_eq!(state_label.is_some(), meta.kind == Kind::Untyped, "{name}");
        assert!(state_label.is_none_or(|label| meta.labels.contains(&label)));
        for suffix in ["_count", "_sum", "_bucket"] {
            // The name is BullMQ's.
            let taken = name.ends_with(suffix) && name != "bullmq_job_count";
            assert!(!taken, "{name}: taken by histograms");
        }
        assert!(
            meta.help.ends_with('.') && meta.help.len() > 10,
            "{name}: HELP"
        );
        let per_queue = meta.labels.contains(&"queue");
        let bound = if per_queue { 8 * MAX_QUEUES } else { 10_000 };
        assert!((1..=bound).contains(&meta.max_series), "{name}: bound");
        assert!(
            !meta.labels.is_empty() || meta.max_series == 1,
            "{name}: bound"
        );
        for label in meta.labels {
            assert!(
                !["le", "quantile", "job", "instance"].contains(label),
                "{name}: {label}"
            );
            assert!(label.chars().all(allowed), "{name}: {label}");
        }
        assert_eq!(
            meta.kind == Kind::Histogram,
            !meta.buckets.seconds.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn the_specifications_thresholds_are_bounds() {
    assert!(REQUEST_BUCKETS.seconds.contains(&1.0));
    assert!(TICK_BUCKETS.seconds.contains(&2.0));
}

#[test]
fn the_documentation_lists_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/METRICS.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/METRICS.md differs from the catalogue; UPDATE_DOCS=1 cargo test -p vigie --test catalogue writes it"
    );
}

const FIRST_EVENTS: &str = "## First events\n\n\
    `rate()` and `increase()` need a sample before the first event, and the labels of many counts (job names, routes) are \
    only known with the first event. For these counts (counters, histograms, `completed` and `failed` of \
    `queue_jobs_total`):\n\n\
    - Vigie's own history stores a 0 at the time of the scrape before, or at the start of Vigie, so that the reset of a \
    restart is seen.\n\
    - A scraper that sends `X-Prometheus-Scrape-Timeout-Seconds` (Prometheus, vmagent) gets a new count as 0 in one scrape \
    and with its value from the next on. During the first two minutes of Vigie, the first scrape of a scraper gets every \
    count as 0. Other clients always get the values as they are.\n\
    - In OpenMetrics, counters and histograms have `_created` lines for clients other than Prometheus, and for a \
    Prometheus that prefers protobuf, as it does when it ingests created timestamps.\n\n\
    The first event of a count is still missed: by a scraper that loses the response with the 0; by one of several \
    scrapers that share an address and a `User-Agent`, which count as one; by a scraper that connects for the first time \
    later than two minutes after the start, as after a long outage of its own; and by one of more than 32 \
    scrapers.\n\n\
    ## List\n\n";

fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\nEvery metric on `/metrics`, generated from the descriptions in the crates. Durations are in seconds, \
         sizes in bytes. An unknown value has no series; a source that is not configured has no metrics. With \
         `redis.databases`, metrics with the label `prefix` also have the label `database`.\n\n",
    );
    page.push_str(FIRST_EVENTS);
    page.push_str("| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n");
    for meta in catalogue::all() {
        let labels: Vec<_> = meta
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let kind = match meta.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Untyped => "untyped",
        };
        let Meta { name, help, .. } = meta;
        writeln!(
            page,
            "| `{name}` | {kind} | {} | {help} |",
            labels.join(", ")
        )
        .unwrap();
    }
    page.push_str("\n## Buckets\n\n");
    for meta in catalogue::all() {
        if meta.kind == Kind::Histogram {
            let bounds: Vec<_> = meta.buckets.seconds.iter().map(f64::to_string).collect();
            writeln!(page, "- `{}`: {}", meta.name, bounds.join(", ")).unwrap();
        }
    }
    page
}

#[test]
fn every_metric_states_its_sources() {
    let known = vigie_metrics::own::SOURCE_UP.meta();
    let mut dependent = 0;
    for meta in catalogue::all() {
        let sample = match meta.kind {
            Kind::Histogram => format!("{}_bucket", meta.name),
            _ => meta.name.to_owned(),
        };
        let sources = catalogue::sources(&sample).unwrap();
        dependent += usize::from(!sources.is_empty());
        for source in sources {
            assert!(catalogue::SOURCES.contains(source), "{sample}: {source}");
            assert!(known.help.contains(source), "{source}");
        }
        let depends = |names: &[&str]| sources.iter().any(|source| names.contains(source));
        let is_of_queues = vigie_bullmq::metrics::is_of_queues(meta.name);
        assert_eq!(is_of_queues, depends(&["redis", "events"]), "{sample}");
        let mut traffic = vigie_traffic::metrics::all().into_iter();
        let is_of_traffic = traffic.any(|of_traffic| of_traffic.name == meta.name);
        assert_eq!(is_of_traffic, depends(&["capture"]), "{sample}");
    }
    assert!(dependent > 20, "{dependent}");
    assert_eq!(catalogue::sources("unknown"), None);
}
