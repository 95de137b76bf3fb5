//! Discovers which master of a cluster owns which slots.

use std::time::Duration;

use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cluster::{self, Cluster, Nodes};
use crate::endpoint::{Endpoint, open};
use crate::error::Error;
use crate::hosts::{self, Address};
use crate::slot::Slots;
use crate::tls::TlsFiles;

/// The number of known nodes queried at once, besides the seeds, if no connection works.
const ASKED: usize = 32;

/// A master of a cluster.
#[derive(Clone, Debug)]
pub struct Master {
    /// `host:port`.
    pub name: String,
    /// Its endpoint.
    pub endpoint: Endpoint,
    /// The slots that it owns.
    pub slots: Slots,
}

/// Queries a cluster for its masters, over a connection that is kept while it works.
#[derive(Debug)]
pub struct Scout {
    cluster: Cluster,
    tls: TlsFiles,
    kept: Option<Kept>,
    /// The nodes in the last reply.
    known: Vec<Address>,
    /// Queried only if no other node answers.
    avoided: Option<Address>,
}

struct Kept {
    at: Address,
    connection: MultiplexedConnection,
}

impl Scout {
    pub(crate) fn new(cluster: Cluster, tls: TlsFiles) -> Self {
        Self {
            cluster,
            tls,
            kept: None,
            known: Vec::new(),
            avoided: None,
        }
    }

    /// The masters that own slots, by name.
    ///
    /// # Errors
    /// If no node answers `within` that time, or none reports a master.
    pub async fn masters(&mut self, within: Duration) -> Result<Vec<Master>, Error> {
        let asking = timeout(within, self.ask(within)).await;
        let nodes = asking.unwrap_or(Err(Error::Late(within)))?;
        let masters = nodes.masters.iter().map(|(at, _)| at);
        self.known = masters.chain(&nodes.replicas).cloned().collect();
        let masters = nodes.masters.into_iter().map(|(at, slots)| {
            let info = self.cluster.node(&at)?;
            Ok(Master {
                name: hosts::name(&at),
                endpoint: Endpoint::of_node(info, self.tls.clone()),
                slots,
            })
        });
        masters.collect()
    }

    /// The connection of the last reply.
    pub fn connection(&mut self) -> Option<&mut MultiplexedConnection> {
        self.kept.as_mut().map(|kept| &mut kept.connection)
    }

    /// Queries the node at `host:port` next: it replied that it does not own a slot as expected, so its state is
    /// newer.
    pub async fn prefer(&mut self, name: &str, within: Duration) {
        let known = self
            .known
            .iter()
            .find(|at| hosts::name(at) == name)
            .cloned();
        if let Some(at) = known
            && self.kept.as_ref().is_none_or(|kept| kept.at != at)
            && let Ok((_, kept)) = asked(&self.cluster, &self.tls, at, within).await
        {
            self.kept = Some(kept);
        }
    }

    /// Queries other nodes than the one at `host:port` next, which does not work.
    pub fn avoid(&mut self, name: &str) {
        let is = |at: &Address| hosts::name(at) == name;
        if self.kept.as_ref().is_some_and(|kept| is(&kept.at)) {
            self.kept = None;
        }
        self.avoided = self.known.iter().find(|at| is(at)).cloned();
    }

    async fn ask(&mut self, within: Duration) -> Result<Nodes, Error> {
        if let Some(mut kept) = self.kept.take() {
            let answered = timeout(within / 2, slots(&mut kept.connection, &kept.at)).await;
            if let Ok(Ok(nodes)) = answered {
                self.kept = Some(kept);
                return Ok(nodes);
            }
        }
        let (nodes, kept) = self.find(within / 2).await?;
        self.kept = Some(kept);
        Ok(nodes)
    }

    /// Queries all known nodes concurrently, so that a hanging one delays no other.
    async fn find(&mut self, within: Duration) -> Result<(Nodes, Kept), Error> {
        // Always include the seeds: all known nodes may be gone.
        let known = self.known.iter().take(ASKED);
        let mut places: Vec<_> = known.chain(&self.cluster.seeds).collect();
        let avoided = self.avoided.take();
        if places.iter().any(|at| Some(*at) != avoided.as_ref()) {
            places.retain(|at| Some(*at) != avoided.as_ref());
        }
        places.sort();
        places.dedup();
        let mut all = JoinSet::new();
        for at in places.into_iter().cloned() {
            let (cluster, tls) = (self.cluster.clone(), self.tls.clone());
            all.spawn(async move {
                let name = hosts::name(&at);
                let asked = asked(&cluster, &tls, at, within.mul_f64(0.8)).await;
                asked.map_err(|error| (name, error))
            });
        }
        let mut tried = Vec::new();
        while let Some(asked) = all.join_next().await {
            match asked {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(failed)) => tried.push(failed),
                Err(_) => {}
            }
        }
        tried.sort_by(|(a, _), (b, _)| a.cmp(b));
        Err(Error::NoNode { tried })
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({})", hosts::name(&self.at))
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({self})")
    }
}

/// Connects to a node and queries it.
async fn asked(
    cluster: &Cluster,
    tls: &TlsFiles,
    at: Address,
    within: Duration,
) -> Result<(Nodes, Kept), Error> {
    let asking = async {
        let mut connection = open(&cluster.node(&at)?, tls, within).await?;
        let nodes = slots(&mut connection, &at).await?;
        Ok((nodes, Kept { at, connection }))
    };
    timeout(within, asking)
        .await
        .unwrap_or(Err(Error::Late(within)))
}

async fn slots(connection: &mut MultiplexedConnection, at: &Address) -> Result<Nodes, Error> {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    let answer = connection.send_packed_command(&command).await;
    let answer = match answer.map_err(Error::Redis)? {
        Value::ServerError(error) => {
            let details = error.details().unwrap_or_default();
            return Err(match details.contains("cluster support disabled") {
                true => Error::NoCluster,
                false => Error::Redis(error.into()),
            });
        }
        answer => answer,
    };
    match cluster::read(&answer, &at.0) {
        Some(nodes) if !nodes.masters.is_empty() => Ok(nodes),
        _ => Err(Error::NoSlots),
    }
}
