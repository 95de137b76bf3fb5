//! The task that wants to be elected.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::client::{Answer, Client};
use crate::cluster::Cluster;
use crate::election::{Election, Step, TRIES};
use crate::error::Error;
use crate::record::{self, Record};

/// An answer is of no use once it is time for the next question.
const LATEST: Duration = Duration::from_secs(5);

/// Which Lease, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The API server, and who we are there.
    pub cluster: Cluster,
    /// The Lease's namespace; `None`: the Pod's own.
    pub namespace: Option<String>,
    /// The Lease's name.
    pub name: String,
    /// How long the Lease counts when it is not renewed. It is renewed three times as often. Kubernetes keeps whole seconds, so
    /// others wait for a part of a second longer.
    pub period: Duration,
}

/// The Lease on the API server.
pub(crate) struct Leases {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Leases {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let namespace = match settings.namespace {
            Some(namespace) => namespace,
            None => settings.cluster.namespace()?,
        };
        let deadline = (settings.period / TRIES).min(LATEST);
        Ok(Self {
            client: Client::new(settings.cluster, deadline),
            namespace,
            name: settings.name,
        })
    }

    /// The Lease, if there is one.
    pub(crate) async fn read(&mut self) -> Result<Option<Record>, Error> {
        let what = "reading the Lease";
        let path = self.path();
        let answer = self.client.ask(what, Method::GET, &path, None).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => record(what, answer).map(Some),
        }
    }

    /// The Lease as it was made; `None` when somebody was quicker.
    async fn create(&mut self, lease: &Value) -> Result<Option<Record>, Error> {
        let what = "making the Lease";
        let path = self.all();
        let answer = self.client.ask(what, Method::POST, &path, Some(lease));
        written(what, answer.await?)
    }

    /// The Lease as it is now; `None` when somebody was quicker, or it was deleted.
    async fn replace(&mut self, lease: &Value) -> Result<Option<Record>, Error> {
        let what = "writing the Lease";
        let path = self.path();
        let answer = self
            .client
            .ask(what, Method::PUT, &path, Some(lease))
            .await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => written(what, answer),
        }
    }

    fn all(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
    }

    fn path(&self) -> String {
        format!("{}/{}", self.all(), self.name)
    }
}

fn written(what: &'static str, answer: Answer) -> Result<Option<Record>, Error> {
    match answer.status {
        StatusCode::CONFLICT => Ok(None),
        _ => record(what, answer).map(Some),
    }
}

fn record(what: &'static str, answer: Answer) -> Result<Record, Error> {
    Record::of(answer.object()?).ok_or(Error::Answer { what })
}

/// Who wants to be elected.
pub struct Candidate {
    leases: Leases,
    period: Duration,
    election: Election,
    /// What was last said of it.
    said: Option<Said>,
}

#[derive(PartialEq, Eq)]
enum Said {
    Holds,
    Other(String),
    Unknown,
}

impl Candidate {
    /// A candidate that does nothing until it [runs](Self::run).
    ///
    /// # Errors
    /// When the namespace is to be the Pod's own, and the Pod's account does not say it.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let period = settings.period;
        Ok(Self {
            leases: Leases::new(settings)?,
            period,
            election: Election::new(name(), period),
            said: None,
        })
    }

    /// Runs until `stop` is cancelled, and then gives the Lease back. Whenever it changes, `tell` hears until when it is
    /// elected; `None`: it is not.
    pub async fn run(mut self, tell: impl Fn(Option<Instant>), stop: CancellationToken) {
        let elected = async {
            loop {
                self.turn().await;
                tell(self.election.until());
            }
        };
        let _: Option<()> = stop.run_until_cancelled(elected).await;
        tell(None);
        // What was under way when it was stopped may have been done, too.
        if let Err(error) = self.give_back().await {
            warn!(%error, "the Lease was not given back: it ends by itself");
        }
    }

    /// One thing after the other.
    async fn turn(&mut self) {
        let asked = Instant::now();
        let done = match self.election.step(asked) {
            Step::Wait(until) => return sleep_until(until).await,
            Step::Read => self.leases.read().await.map(|found| {
                self.election.found(asked, Instant::now(), found);
            }),
            Step::Create => {
                let (name, me) = (&self.leases.name, self.election.me());
                let lease = record::new(name, me, self.period, Timestamp::now());
                let written = self.leases.create(&lease).await;
                written.map(|record| self.written(asked, record))
            }
            Step::Replace(record) => {
                let lease = record.held_by(self.election.me(), self.period, Timestamp::now());
                let written = self.leases.replace(&lease).await;
                written.map(|record| self.written(asked, record))
            }
        };
        if let Err(error) = done {
            self.election.failed(asked, Instant::now());
            self.say(Said::Unknown, || {
                warn!(%error, "the Lease cannot be had: this Vigie is elected only while it lasts");
            });
        } else {
            self.say_who_holds();
        }
    }

    fn written(&mut self, asked: Instant, record: Option<Record>) {
        match record {
            Some(record) => self.election.written(asked, Instant::now(), record),
            None => self.election.conflict(asked),
        }
    }

    fn say_who_holds(&mut self) {
        let (me, lease) = (self.election.me().to_owned(), self.leases.name.clone());
        match self.election.holder().map(str::to_owned) {
            Some(holder) if holder != me => self.say(Said::Other(holder.clone()), || {
                info!(holder, lease, "another Vigie is elected");
            }),
            Some(_) if self.election.until() > Some(Instant::now()) => {
                self.say(Said::Holds, || {
                    info!(name = me, lease, "this Vigie is elected");
                })
            }
            _ => {}
        }
    }

    fn say(&mut self, what: Said, log: impl FnOnce()) {
        if self.said.as_ref() != Some(&what) {
            log();
            self.said = Some(what);
        }
    }

    /// So that the next one need not wait for its end.
    async fn give_back(&mut self) -> Result<(), Error> {
        let found = self.leases.read().await?;
        if let Some(mine) = found.filter(|record| record.holder() == self.election.me()) {
            let released = mine.released(Timestamp::now());
            // Who was quicker has it.
            self.leases.replace(&released).await?;
        }
        Ok(())
    }
}

/// A name that no other process has, and that tells people which Pod it is.
fn name() -> String {
    use std::hash::{BuildHasher as _, RandomState};

    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // Each hasher has keys of its own, which come from the system's source of chance.
    let chance = RandomState::new().hash_one(std::process::id());
    format!("{}_{chance:016x}", host.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_have_the_same_name() {
        assert_ne!(name(), name());
    }
}
