//! The task that knows which nodes a cluster has, and watches each of its masters.

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

/// How often a cluster is asked for its masters when nothing seems to have changed.
const EVERY: Duration = Duration::from_secs(5);
/// It is not asked more often than that, however much changes.
const PAUSE: Duration = Duration::from_millis(200);

/// What makes one doubt that the masters are still those that are known.
#[derive(Default)]
pub(crate) struct Doubts {
    last: Mutex<Option<Doubt>>,
    raised: Notify,
}

enum Doubt {
    /// The node of this name says that it does not hold what it was thought to hold.
    Elsewhere(String),
    /// The node of this name cannot be read.
    Broken(String),
}

impl Doubts {
    /// A node does not hold what it was thought to hold.
    pub(crate) fn elsewhere(&self, node: &Node) {
        self.raise(node, Doubt::Elsewhere);
    }

    /// A node cannot be read.
    pub(crate) fn broken(&self, node: &Node) {
        self.raise(node, Doubt::Broken);
    }

    fn raise(&self, node: &Node, doubt: impl FnOnce(String) -> Doubt) {
        if let (true, Some(name)) = (node.space.is_cluster, &node.name) {
            *self.last.lock() = Some(doubt(name.clone()));
            self.raised.notify_one();
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
    /// What was last said of why it is not known which nodes there are.
    said: Option<String>,
}

impl Cluster {
    /// `None` when what is to be watched is no cluster.
    pub(crate) fn new(shared: Arc<Shared>) -> Option<Self> {
        let space = Keyspace::new(None, true, Arc::clone(&shared.families));
        Some(Self {
            scout: shared.settings.redis.scout()?,
            shared,
            space: Arc::new(space),
            nodes: BTreeMap::new(),
            sessions: JoinSet::new(),
            backoff: Backoff::new(),
            said: None,
        })
    }

    /// Runs until it is dropped, and all sessions with it.
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
            let doubt = self.shared.doubts.last.lock().take();
            match doubt {
                Some(Doubt::Elsewhere(name)) => self.scout.believe(&name, timeout).await,
                Some(Doubt::Broken(name)) => self.scout.distrust(&name),
                None => {}
            }
        }
    }

    /// Waits until then, or until there is a doubt.
    async fn until(&mut self, next: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(next) => return,
                () = self.shared.doubts.raised.notified() => return,
                // One that was told to end did so.
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

    /// Watches these masters, and no others.
    fn set(&mut self, masters: Vec<Master>) {
        self.backoff.reset();
        if self.said.take().is_some() {
            info!("the nodes of the cluster are known again");
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
                "the masters of the cluster"
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
        if self.said.as_deref() != Some(error) {
            warn!(error, "it is not known which nodes the cluster has");
            self.said = Some(error.to_owned());
        }
        self.shared.set_lost(Some(error.to_owned()));
    }
}
