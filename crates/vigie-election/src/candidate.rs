//! The task of a candidate: performs the steps of the [election](crate::election) on a store.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::election::{Election, Step};
use crate::kubernetes::{self, Leases};
use crate::redis::{self, Key};
use crate::store::Store;
use crate::tenure::Tenure;

/// A candidate that is inactive until it [runs](Self::run).
pub struct Candidate(Kind);

enum Kind {
    Kubernetes(Box<Task<Leases>>),
    Redis(Box<Task<Key>>),
}

impl Candidate {
    /// A candidate for a Lease object of Kubernetes.
    ///
    /// # Errors
    /// If the namespace is the Pod's own and cannot be read from the service account.
    pub fn in_kubernetes(settings: kubernetes::Settings) -> Result<Self, kubernetes::Error> {
        let period = settings.period;
        let task = Task::new(Leases::new(settings)?, period);
        Ok(Self(Kind::Kubernetes(Box::new(task))))
    }

    /// A candidate for a key in Redis.
    #[must_use]
    pub fn in_redis(settings: redis::Settings) -> Self {
        let period = settings.period;
        Self(Kind::Redis(Box::new(Task::new(Key::new(settings), period))))
    }

    /// The tenure that this candidate updates.
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        match &self.0 {
            Kind::Kubernetes(task) => task.tenure.clone(),
            Kind::Redis(task) => task.tenure.clone(),
        }
    }

    /// Runs until `stop` is cancelled, then releases the lease.
    pub async fn run(self, stop: CancellationToken) {
        match self.0 {
            Kind::Kubernetes(task) => task.run(stop).await,
            Kind::Redis(task) => task.run(stop).await,
        }
    }
}

struct Task<S: Store> {
    store: S,
    election: Election<S::Record>,
    tenure: Tenure,
    /// The last logged state.
    logged: Option<Logged>,
}

#[derive(PartialEq, Eq)]
enum Logged {
    Elected,
    Other(String),
    Unknown,
}

impl<S: Store> Task<S> {
    fn new(store: S, period: Duration) -> Self {
        // The keys of a hasher come from the system's random source.
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            store,
            election: Election::new(name(&host_name(), random), period),
            tenure: Tenure::default(),
            logged: None,
        }
    }

    async fn run(mut self, stop: CancellationToken) {
        let elected = async {
            loop {
                self.turn().await;
                self.tenure.set(self.election.until());
            }
        };
        let _: Option<()> = stop.run_until_cancelled(elected).await;
        self.tenure.set(None);
        // A pending write may have succeeded, so the store is asked whether the lease is held.
        if let Err(error) = self.store.release(self.election.me()).await {
            warn!(%error, "cannot release the lease; it expires by itself");
        }
    }

    /// Performs one step.
    async fn turn(&mut self) {
        let asked = Instant::now();
        let me = self.election.me().to_owned();
        let done = match self.election.step(asked) {
            Step::Wait(until) => return sleep_until(until).await,
            Step::Read => self.store.read().await.map(|found| {
                self.election.found(asked, Instant::now(), found);
            }),
            Step::Create => {
                let written = self.store.create(&me).await;
                written.map(|record| self.written(asked, record))
            }
            Step::Replace(record) => {
                let written = self.store.replace(record, &me).await;
                written.map(|record| self.written(asked, record))
            }
        };
        match done {
            Ok(()) => self.log_holder(),
            Err(error) => {
                self.election.failed(asked, Instant::now());
                self.log(Logged::Unknown, || {
                    warn!(%error, "cannot renew the lease; leadership ends when it expires");
                });
            }
        }
    }

    fn written(&mut self, asked: Instant, record: Option<S::Record>) {
        match record {
            Some(record) => self.election.written(asked, Instant::now(), record),
            None => self.election.conflict(asked),
        }
    }

    fn log_holder(&mut self) {
        let (me, lease) = (self.election.me().to_owned(), self.store.name().to_owned());
        match self.election.holder().map(str::to_owned) {
            Some(holder) if holder != me => self.log(Logged::Other(holder.clone()), || {
                info!(holder, lease, "another Vigie is elected");
            }),
            Some(_) if self.election.until() > Some(Instant::now()) => {
                self.log(Logged::Elected, || {
                    info!(name = me, lease, "this Vigie is elected");
                });
            }
            _ => {}
        }
    }

    fn log(&mut self, state: Logged, log: impl FnOnce()) {
        if self.logged.as_ref() != Some(&state) {
            log();
            self.logged = Some(state);
        }
    }
}

/// The name of this host; empty if the system does not tell.
#[must_use]
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// The name of a candidate: the host name and a random part that makes it unique.
fn name(host: &str, random: u64) -> String {
    format!("{host}_{random:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_host_and_a_random_part() {
        assert_eq!(name("web-1", 0xab), "web-1_00000000000000ab");
        assert_eq!(name("", u64::MAX), "_ffffffffffffffff");
    }
}
