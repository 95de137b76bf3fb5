//! The metrics of the registry itself, and the one that all sources report.

use crate::desc::Desc;
use crate::descriptions;
use crate::value::{Counter, Gauge};

descriptions! {
    /// Whether a source can be read.
    SOURCE_UP: Gauge, 1 = Desc::gauge(
        "vigie_source_up",
        "1 when the source (app, redis, events, database, capture) answered at the last try, 0 when it did not, or when the capture misses too much. A source that is not configured has no series.",
        &["source"],
    ).max_series(16);

    /// Refused series.
    SERIES_REFUSED: Counter, 1 = Desc::counter(
        "vigie_series_refused_total",
        "Recordings of a metric that were dropped because the metric has as many series as it may have.",
        &["metric"],
    ).max_series(500);
}
