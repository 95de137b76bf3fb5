//! Which of several replicas shows the queues: by a lease in Redis, or by one in Kubernetes.

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use vigie_bullmq::{Election, Lease, Tenure};
use vigie_kubernetes::Cluster;

use crate::config::{Exporter, LeaseIn, Queues, Settings};

/// Who is to be elected by Kubernetes, for the tenure of the queues' watcher.
pub(crate) struct Candidate {
    candidate: vigie_kubernetes::Candidate,
    tenure: Tenure,
}

impl Candidate {
    /// Runs until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let tenure = self.tenure;
        self.candidate.run(|until| tenure.set(until), stop).await;
    }
}

/// The candidate, if it is Kubernetes that elects.
pub(crate) fn candidate(settings: &Settings) -> Result<Option<Candidate>> {
    let queues = &settings.queues;
    let is_wanted = settings.redis.is_some()
        && queues.exporter == Exporter::Elected
        && queues.lease_in == LeaseIn::Kubernetes;
    if !is_wanted {
        return Ok(None);
    }
    let candidate = vigie_kubernetes::Candidate::new(in_kubernetes(queues)?);
    Ok(Some(Candidate {
        candidate: candidate.context("queues.lease_account")?,
        tenure: Tenure::default(),
    }))
}

/// What the watcher is told of it.
pub(crate) fn election(queues: &Queues, candidate: Option<&Candidate>) -> Option<Election> {
    match (queues.exporter, candidate) {
        (Exporter::Every, _) => None,
        (Exporter::Elected, Some(candidate)) => Some(Election::Elsewhere(candidate.tenure.clone())),
        (Exporter::Elected, None) => Some(Election::Redis(in_redis(queues))),
    }
}

/// The lease in Redis, also for `vigie check`.
pub(crate) fn in_redis(queues: &Queues) -> Lease {
    Lease {
        key: queues.lease_key.clone(),
        period: queues.lease,
    }
}

/// The Lease in Kubernetes, also for `vigie check`.
pub(crate) fn in_kubernetes(queues: &Queues) -> Result<vigie_kubernetes::Settings> {
    let cluster = Cluster::of_this_pod(&queues.lease_account).context("queues.lease_in")?;
    Ok(vigie_kubernetes::Settings {
        cluster,
        namespace: queues.lease_namespace.clone(),
        name: queues.lease_name.clone(),
        period: queues.lease,
    })
}
