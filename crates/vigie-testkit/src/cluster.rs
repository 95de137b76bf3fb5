//! A real Redis Cluster.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{Certificates, Error, Redis, RedisOptions, SOON, ports};

/// The timeout until the nodes agree.
const AGREE: Duration = SOON;
const SLOTS: usize = 16_384;

/// A cluster of masters that share the slots evenly, and replicas of the first ones. A dead node is detected within a
/// second or two; the others continue to serve their slots.
pub struct Cluster {
    nodes: Vec<Redis>,
    masters: usize,
}

impl Cluster {
    /// Starts this many masters, and a replica for each of the first `replicas`.
    ///
    /// # Errors
    /// If Redis is not installed, or its nodes do not form a cluster.
    pub async fn start(masters: usize, replicas: usize) -> Result<Self, Error> {
        Self::start_with(masters, replicas, Vec::new).await
    }

    /// Starts this many masters that use TLS, also with each other, and require certificates.
    ///
    /// # Errors
    /// As [`Cluster::start`], and if there are no certificates.
    pub async fn start_over_tls(masters: usize, ca: &Certificates) -> Result<Self, Error> {
        let (certificate, key) = ca.issue("node", 2).await?;
        let files = [
            ("--tls-cert-file", certificate),
            ("--tls-key-file", key),
            ("--tls-ca-cert-file", ca.ca()),
        ];
        let mut tls = vec!["--tls-cluster".to_owned(), "yes".to_owned()];
        for (name, path) in files {
            tls.extend([name.to_owned(), path.display().to_string()]);
        }
        let args = || {
            let port = ["--tls-port".to_owned(), ports::free().to_string()];
            port.into_iter().chain(tls.iter().cloned()).collect()
        };
        Self::start_with(masters, 0, args).await
    }

    async fn start_with(
        masters: usize,
        replicas: usize,
        args: impl Fn() -> Vec<String>,
    ) -> Result<Self, Error> {
        let mut nodes = Vec::new();
        for _ in 0..masters + replicas {
            let bus = ports::free().to_string();
            let own = [
                ["--cluster-enabled", "yes"],
                ["--cluster-port", &bus],
                ["--cluster-node-timeout", "5000"],
                ["--cluster-require-full-coverage", "no"],
                ["--cluster-replica-validity-factor", "0"],
                ["--repl-diskless-sync-delay", "0"],
            ];
            let own = own.as_flattened().iter().map(|arg| (*arg).to_owned());
            let args = own.chain(args()).collect();
            let options = RedisOptions {
                args,
                ..RedisOptions::default()
            };
            nodes.push(Redis::start_with(options).await?);
        }
        let cluster = Self { nodes, masters };
        cluster.meet().await?;
        Ok(cluster)
    }

    async fn meet(&self) -> Result<(), Error> {
        for (at, node) in self.nodes.iter().enumerate() {
            let epoch = (at + 1).to_string();
            node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await?;
            if at < self.masters {
                let [from, to] = [at, at + 1].map(|at| at * SLOTS / self.masters);
                let (from, to) = (from.to_string(), (to - 1).to_string());
                let add = ["CLUSTER", "ADDSLOTSRANGE", &from, &to];
                node.cli(&add).await?;
            }
        }
        for node in &self.nodes[1..] {
            let bus = setting(node, "cluster-port").await?;
            let port = match tls_port(node).await? {
                Some(port) => port.to_string(),
                None => node.port().to_string(),
            };
            let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus];
            self.nodes[0].cli(&meet).await?;
        }
        let all = format!("cluster_known_nodes:{}", self.nodes.len());
        for node in &self.nodes {
            until_says(node, &["CLUSTER", "INFO"], &[&all]).await?;
        }
        for (at, replica) in self.nodes[self.masters..].iter().enumerate() {
            let id = self.nodes[at].cli(&["CLUSTER", "MYID"]).await?;
            replica.cli(&["CLUSTER", "REPLICATE", &id]).await?;
        }
        for node in &self.nodes {
            until_says(node, &["CLUSTER", "INFO"], &["cluster_state:ok"]).await?;
        }
        for (at, replica) in self.nodes[self.masters..].iter().enumerate() {
            until_says(
                replica,
                &["INFO", "replication"],
                &["master_link_status:up"],
            )
            .await?;
            // A replica that other nodes still consider a master is not a candidate.
            let id = replica.cli(&["CLUSTER", "MYID"]).await?;
            let master = &self.nodes[at];
            let known = format!("{id} 127.0.0.1:{}", replica.port());
            until_says(master, &["CLUSTER", "NODES"], &[&known, "slave"]).await?;
        }
        Ok(())
    }

    /// `redis-cluster://` with the addresses of all nodes.
    pub fn url(&self) -> String {
        let hosts = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        format!("redis-cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// `rediss-cluster://` with the addresses of all nodes that use TLS.
    ///
    /// # Errors
    /// If a node does not answer.
    pub async fn tls_url(&self) -> Result<String, Error> {
        let mut hosts = Vec::new();
        for node in &self.nodes {
            hosts.extend(
                tls_port(node)
                    .await?
                    .map(|port| format!("127.0.0.1:{port}")),
            );
        }
        Ok(format!("rediss-cluster://{}", hosts.join(",")))
    }

    /// The nodes: masters as of the start, then replicas.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// A node, to kill or restart it.
    ///
    /// # Panics
    /// If the index is out of range.
    pub fn node_mut(&mut self, at: usize) -> &mut Redis {
        &mut self.nodes[at]
    }

    /// The slot of a key, according to the server.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn slot(&self, key: &str) -> Result<u16, Error> {
        let answer = self.nodes[0].cli(&["CLUSTER", "KEYSLOT", key]).await?;
        let wrong = |_| Error::protocol("redis-server", format!("no slot: {answer:?}"));
        answer.parse().map_err(wrong)
    }

    /// The index of the master that held a slot at the start.
    pub fn first_holder(&self, slot: u16) -> usize {
        let slot = usize::from(slot);
        let holds = |at: &usize| slot < (at + 1) * SLOTS / self.masters;
        (0..self.masters).find(holds).unwrap_or(0)
    }

    /// Runs a command on every node.
    ///
    /// # Errors
    /// If a node does not answer, or answers with an error.
    pub async fn cli_all(&self, args: &[&str]) -> Result<(), Error> {
        for node in &self.nodes {
            node.cli(args).await?;
        }
        Ok(())
    }

    /// Begins to move a slot from one node to another: the source redirects requests for missing keys.
    ///
    /// # Errors
    /// If a node refuses.
    pub async fn begin_move(&self, slot: u16, from: usize, to: usize) -> Result<(), Error> {
        let slot = slot.to_string();
        let (from_id, to_id) = (self.id(from).await?, self.id(to).await?);
        let importing = ["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id];
        self.nodes[to].cli(&importing).await?;
        let migrating = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id];
        self.nodes[from].cli(&migrating).await?;
        Ok(())
    }

    /// Moves at most this many keys of a slot that [moves](Cluster::begin_move). Returns how many are left.
    ///
    /// # Errors
    /// If a node refuses.
    pub async fn move_keys(
        &self,
        slot: u16,
        from: usize,
        to: usize,
        most: usize,
    ) -> Result<usize, Error> {
        let (slot, most) = (slot.to_string(), most.to_string());
        let list = ["CLUSTER", "GETKEYSINSLOT", &slot, &most];
        let keys = self.nodes[from].cli(&list).await?;
        let keys: Vec<_> = keys.lines().collect();
        if !keys.is_empty() {
            let port = self.nodes[to].port().to_string();
            let within = SOON.as_millis().to_string();
            let migrate = ["MIGRATE", "127.0.0.1", &port, "", "0", &within, "KEYS"];
            self.nodes[from]
                .cli(&[&migrate, &keys[..]].concat())
                .await?;
        }
        Ok(keys.len())
    }

    /// Ends a move: assigns the slot to the other node on all nodes.
    ///
    /// # Errors
    /// If a node refuses.
    pub async fn end_move(&self, slot: u16, to: usize) -> Result<(), Error> {
        let slot = slot.to_string();
        let id = self.id(to).await?;
        let set = ["CLUSTER", "SETSLOT", &slot, "NODE", &id];
        self.nodes[to].cli(&set).await?;
        for node in &self.nodes[..self.masters] {
            node.cli(&set).await?;
        }
        Ok(())
    }

    /// Moves a slot with all its keys, as `redis-cli --cluster reshard` does.
    ///
    /// # Errors
    /// If a node refuses.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize) -> Result<(), Error> {
        self.begin_move(slot, from, to).await?;
        while self.move_keys(slot, from, to, 1_000).await? > 0 {}
        self.end_move(slot, to).await
    }

    /// Waits until the replica at this index is a master.
    ///
    /// # Errors
    /// If it does not become one.
    pub async fn until_master(&self, at: usize) -> Result<(), Error> {
        until_says(&self.nodes[at], &["INFO", "replication"], &["role:master"]).await
    }

    async fn id(&self, at: usize) -> Result<String, Error> {
        self.nodes[at].cli(&["CLUSTER", "MYID"]).await
    }
}

async fn setting(node: &Redis, name: &str) -> Result<String, Error> {
    let answer = node.cli(&["CONFIG", "GET", name]).await?;
    Ok(answer.lines().last().unwrap_or_default().to_owned())
}

async fn tls_port(node: &Redis) -> Result<Option<u16>, Error> {
    let port = setting(node, "tls-port").await?;
    Ok(port.parse().ok().filter(|port| *port > 0))
}

async fn until_says(node: &Redis, ask: &[&str], wanted: &[&str]) -> Result<(), Error> {
    let deadline = Instant::now() + AGREE;
    loop {
        let said = node.cli(ask).await;
        let said = said.unwrap_or_else(|error| error.to_string());
        if wanted.iter().all(|text| said.contains(text)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let what = format!("{ask:?} never said {wanted:?}: {said}");
            return Err(Error::protocol("redis-server", what));
        }
        sleep(Duration::from_millis(25)).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn slots_move_and_replicas_take_over() {
        let mut cluster = Cluster::start(3, 1).await.unwrap();
        let slot = cluster.slot("{a}x").await.unwrap();
        let from = cluster.first_holder(slot);
        let to = (from + 1) % 3;
        cluster.nodes()[from]
            .cli(&["SET", "{a}x", "1"])
            .await
            .unwrap();
        cluster.move_slot(slot, from, to).await.unwrap();
        let moved = cluster.nodes()[to].cli(&["GET", "{a}x"]).await.unwrap();
        assert_eq!(moved, "1");
        let sent_on = cluster.nodes()[from].cli(&["GET", "{a}x"]).await;
        assert!(sent_on.unwrap_err().to_string().contains("MOVED"));

        cluster.node_mut(0).kill9();
        cluster.until_master(3).await.unwrap();
    }
}
