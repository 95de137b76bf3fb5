//! Every metric Vigie exposes. Each crate describes its own; `docs/METRICS.md` lists them all.

use vigie_metrics::Meta;

/// The descriptions of all metrics.
#[must_use]
pub fn all() -> Vec<&'static Meta> {
    [
        vigie_gateway::metrics::all(),
        vigie_bullmq::metrics::all(),
        vigie_probes::metrics::all(),
        crate::metrics::all(),
        vigie_metrics::own::all(),
    ]
    .concat()
}
