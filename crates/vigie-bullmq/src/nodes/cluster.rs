//! The task that reads the masters of a cluster, and runs a session for each.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vigie_redis::{Master, Scout};

use crate::nodes::link::Backoff;
use crate::nodes::node::{self, Keyspace, Node};
use crate::shared::Shared;

/// Interval between reads of the masters when no change is suspected.
const EVERY: Duration = Duration::from_secs(5);
/// Minimum interval between reads of the masters.
const PAUSE: Duration = Duration::from_millis(200);

/// Hints that the set of masters has changed.
#[derive(Default)]
pub(crate) struct Hints {
    last: Mutex<Option<Hint>>,
    given: Notify,
}

enum Hint {
    /// The node replied that it no longer holds a slot.
    Elsewhere(String),
    /// The node cannot be read.
    Broken(String),
}

impl Hints {
    /// Reports that a node replied that it no longer holds a slot.
    pub(crate) fn elsewhere(&self, node: &Node) {
        self.give(node, Hint::Elsewhere);
    }

    /// Reports that a node cannot be read.
    pub(crate) fn broken(&self, node: &Node) {
        self.give(node, Hint::Broken);
    }

    fn give(&self, node: &Node, hint: impl FnOnce(String) -> Hint) {
        if let (true, Some(name)) = (node.space.is_cluster, &node.name) {
            *self.last.lock() = Some(hint(name.clone()));
            self.given.notify_one();
        }
    }
}

/// The nodes of a cluster, and their sessions.
pub(crate) struct Cluster {
    shared: Arc<Shared>,
    scout: Scout,
    space: Arc<Keyspace>,
    nodes: BTreeMap<String, (Arc<Node>, CancellationToken)>,
    sessions: JoinSet<()>,
    backoff: Backoff,
    /// The last logged error.
    logged: Option<String>,
}

impl Cluster {
    /// `None` if the target is not a cluster.
    pub(crate) fn new(shared: Arc<Shared>) -> Option<Self> {
        let space = Keyspace::new(None, true, Arc::clone(&shared.families));
        Some(Self {
            scout: shared.settings.redis.scout()?,
            shared,
            space: Arc::new(space),
            nodes: BTreeMap::new(),
            sessions: JoinSet::new(),
            backoff: Backoff::new(),
            logged: None,
        })
    }

    /// Runs until dropped, which also drops all sessions.
    pub(crate) async fn run(mut self) -> Infallible {
        let timeout = self.shared.settings.timeout;
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
            let hint = self.shared.hints.last.lock().take();
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
                () = self.shared.hints.given.notified() => return,
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
        let mut new = Vec::new();
        for master in masters {
            let known = old.remove(&master.name);
            let known = known.unwrap_or_else(|| {
                let name = Some(master.name.clone());
                let space = Arc::clone(&self.space);
                let node = Node::new(name, master.endpoint, space, master.slots.clone());
                let session = (Arc::new(node), CancellationToken::new());
                new.push(session.clone());
                session
            });
            known.0.set_slots(master.slots);
            self.nodes.insert(master.name, known);
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
        let nodes = self.nodes.values().map(|(node, _)| Arc::clone(node));
        self.shared.set_nodes(nodes.collect());
        for (node, stop) in old.into_values() {
            node.set_queues(Arc::new([]));
            stop.cancel();
        }
        for (node, stop) in new {
            let session = node::watch(Arc::clone(&self.shared), node, stop);
            self.sessions.spawn(session);
        }
        self.shared.set_lost(None);
    }

    fn lost(&mut self, error: &str) {
        if self.logged.as_deref() != Some(error) {
            warn!(
                error,
                "cannot read the masters of the cluster; the last known masters are watched, and the read is retried"
            );
            self.logged = Some(error.to_owned());
        }
        self.shared.set_lost(Some(error.to_owned()));
    }
}
