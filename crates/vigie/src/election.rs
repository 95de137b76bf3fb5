//! Which of several replicas exposes the queues: the holder of a lease, in Redis or in Kubernetes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};
use tokio::time::Instant;
use vigie_bullmq::metrics::is_of_queues;
use vigie_election::kubernetes::{self, Cluster};
use vigie_election::{Candidate, Tenure, redis};
use vigie_metrics::Registry;

use crate::checks;
use crate::metrics;
use vigie_config::{Exporter, LeaseIn, Queues, Settings};

/// The candidate, if the replicas elect one exporter.
pub(crate) fn candidate(settings: &Settings) -> Result<Option<Candidate>> {
    let queues = &settings.queues;
    let Some(watched) = &settings.redis else {
        return Ok(None);
    };
    let candidate = match (queues.exporter, queues.lease_in) {
        (Exporter::Every, _) => return Ok(None),
        (Exporter::Elected, LeaseIn::Redis) => Candidate::in_redis(in_redis(queues, watched)),
        (Exporter::Elected, LeaseIn::Kubernetes) => {
            Candidate::in_kubernetes(in_kubernetes(queues)?).context("queues.lease_account")?
        }
    };
    Ok(Some(candidate))
}

/// Exposes the metrics of queues only during the tenure; always when there is no election.
pub(crate) fn expose(registry: &Registry, tenure: Option<Tenure>) {
    let is_exporter = move || {
        tenure
            .as_ref()
            .is_none_or(|tenure| tenure.holds(Instant::now()))
    };
    // The gate is evaluated once per page; `vigie_queues_exporter` on that page must have the same value.
    let last = Arc::new(AtomicBool::new(false));
    let shown = Arc::clone(&last);
    registry.expose_while(is_of_queues, move || {
        let is_exporter = is_exporter();
        last.store(is_exporter, Relaxed);
        is_exporter
    });
    registry.collect(&metrics::QUEUES_EXPORTER, move || {
        Some(f64::from(u8::from(shown.load(Relaxed))))
    });
}

/// The lease in Redis; also used by `vigie check`.
pub(crate) fn in_redis(queues: &Queues, watched: &vigie_bullmq::Settings) -> redis::Settings {
    redis::Settings {
        endpoint: checks::login_database(watched),
        key: queues.lease_key.clone(),
        period: queues.lease,
        timeout: watched.timeout,
    }
}

/// The Lease in Kubernetes; also used by `vigie check`.
pub(crate) fn in_kubernetes(queues: &Queues) -> Result<kubernetes::Settings> {
    let cluster = Cluster::of_this_pod(&queues.lease_account).context("queues.lease_in")?;
    Ok(kubernetes::Settings {
        cluster,
        namespace: queues.lease_namespace.clone(),
        name: queues.lease_name.clone(),
        period: queues.lease,
    })
}
