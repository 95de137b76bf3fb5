//! The task that reads the masters of a cluster, and runs a session for each.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vigie_redis::{Master, Scout};

use crate::directory::node::WatchedNode;
use crate::directory::snapshot::Member;
use crate::queue::keyspace::Keyspace;
use crate::session::backoff::Backoff;
use crate::session::context::Context;
use crate::session::hints::Hint;
use crate::session::tasks;

/// Interval between reads of the masters when no change is suspected.
const EVERY: Duration = Duration::from_secs(5);
/// Minimum interval between reads of the masters.
const PAUSE: Duration = Duration::from_millis(200);

/// The nodes of a cluster, and their sessions.
pub(crate) struct Cluster {
    context: Arc<Context>,
    scout: Scout,
    space: Arc<Keyspace>,
    nodes: BTreeMap<String, (Arc<WatchedNode>, CancellationToken)>,
    sessions: JoinSet<()>,
    backoff: Backoff,
    /// The last logged error.
    logged: Option<String>,
}

impl Cluster {
    /// `None` if the target is not a cluster.
    pub(crate) fn new(context: Arc<Context>) -> Option<Self> {
        let space = Keyspace::new(None, true, Arc::clone(&context.families));
        Some(Self {
            scout: context.settings.redis.scout()?,
            context,
            space: Arc::new(space),
            nodes: BTreeMap::new(),
            sessions: JoinSet::new(),
            backoff: Backoff::new(),
            logged: None,
        })
    }

    /// Runs until dropped, which also drops all sessions.
    pub(crate) async fn run(mut self) -> Infallible {
        let timeout = self.context.settings.timeout;
        loop {
            let next = match self.scout.masters(timeout).await {
                Ok(masters) => {
                    self.set(masters);
                    Instant::now() + EVERY
                }
                Err(error) => {
                    self.lost(&error.to_string());
                    Instant::now() + self.backoff.next()
                }
            };
            sleep(PAUSE).await;
            self.until(next).await;
            let hint = self.context.hints.take();
            match hint {
                Some(Hint::Elsewhere(name)) => self.scout.prefer(&name, timeout).await,
                Some(Hint::Broken(name)) => self.scout.avoid(&name),
                None => {}
            }
        }
    }

    /// Waits until `next`, or for a hint.
    async fn until(&mut self, next: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(next) => return,
                () = self.context.hints.given() => return,
                // A cancelled session has ended.
                Some(ended) = self.sessions.join_next() => {
                    if let Err(error) = ended
                        && error.is_panic()
                    {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
            }
        }
    }

    /// Replaces the watched masters.
    fn set(&mut self, masters: Vec<Master>) {
        self.backoff.reset();
        if self.logged.take().is_some() {
            info!("the masters of the cluster can be read again");
        }
        let mut old = std::mem::take(&mut self.nodes);
        let (mut members, mut new) = (Vec::new(), Vec::new());
        for Master {
            name,
            endpoint,
            slots,
        } in masters
        {
            let known = old.remove(&name).unwrap_or_else(|| {
                let space = Arc::clone(&self.space);
                let node = WatchedNode::new(Some(name.clone()), endpoint, space);
                let started = (Arc::new(node), CancellationToken::new());
                new.push(started.clone());
                started
            });
            members.push(Member::new(Arc::clone(&known.0), slots));
            self.nodes.insert(name, known);
        }
        if !new.is_empty() || !old.is_empty() {
            let names = |nodes: &mut dyn Iterator<Item = &String>| {
                nodes.map(String::as_str).collect::<Vec<_>>().join(", ")
            };
            info!(
                masters = names(&mut self.nodes.keys()),
                gone = names(&mut old.keys()),
                "the masters of the cluster changed"
            );
        }
        self.context.directory.set_members(members);
        for (_, stop) in old.into_values() {
            stop.cancel();
        }
        for (node, stop) in new {
            let session = tasks::watch(Arc::clone(&self.context), node, stop);
            self.sessions.spawn(session);
        }
        self.context.directory.set_lost(None);
    }

    fn lost(&mut self, error: &str) {
        if self.logged.as_deref() != Some(error) {
            warn!(
                error,
                "cannot read the masters of the cluster; the last known masters are watched, and the read is retried"
            );
            self.logged = Some(error.to_owned());
        }
        self.context.directory.set_lost(Some(error.to_owned()));
    }
}
