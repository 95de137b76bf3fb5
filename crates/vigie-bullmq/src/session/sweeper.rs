//! Finds the queues of a node by sweeps over all keys.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info, warn};
use vigie_redis::Slots;

use crate::directory::node::WatchedNode;
use crate::error::Error;
use crate::protocol::counting;
use crate::protocol::discovery::{FIRST_PAUSE, Found, PAUSE, Sweep};
use crate::protocol::key::QueueKey;
use crate::session::connection::Connection;
use crate::session::context::Context;
use crate::session::survey::{first_of_bullmq, step, validate};
use crate::settings::RESERVED;

pub(crate) struct Sweeper {
    context: Arc<Context>,
    node: Arc<WatchedNode>,
    sweep: Sweep,
    /// The node's slots when the sweep began.
    slots: Arc<Slots>,
    /// Whether a sweep has completed.
    swept: bool,
    /// Followed queues found in this sweep.
    present: HashSet<QueueKey>,
    /// Followed queues without any key, and since when.
    gone: HashMap<QueueKey, Instant>,
    refused: bool,
    /// Whether a queue without a hash tag was logged.
    untagged: bool,
}

impl Sweeper {
    pub(crate) fn new(context: Arc<Context>, node: Arc<WatchedNode>) -> Self {
        Self {
            context,
            node,
            sweep: Sweep::default(),
            slots: Arc::new(Slots::none()),
            swept: false,
            present: HashSet::new(),
            gone: HashMap::new(),
            refused: false,
            untagged: false,
        }
    }

    fn slots_now(&self) -> Arc<Slots> {
        self.context.directory.snapshot().slots_of(self.node.id)
    }

    /// Starts a sweep over all keys.
    pub(crate) fn begin(&mut self) {
        self.sweep = Sweep::default();
        self.slots = self.slots_now();
        self.present.clear();
    }

    pub(crate) fn pause(&self, ended: bool) -> Duration {
        match (ended, self.swept) {
            (true, _) => self.context.settings.discover_every,
            (false, true) => PAUSE,
            (false, false) => FIRST_PAUSE,
        }
    }

    /// Makes one step of the sweep, and follows the queues found. Returns whether it was the last.
    pub(crate) async fn step(&mut self, connection: &mut Connection) -> Result<bool, Error> {
        let Some((found, ended)) = step(connection, &mut self.sweep).await? else {
            // After a refusal, the sweep restarts when the next one is due.
            self.begin();
            return Ok(true);
        };
        let found = self.of_node(connection, found).await?;
        let followed = self.context.directory.queues_of(&self.node);
        let is_followed: HashMap<&QueueKey, bool> = followed
            .iter()
            .map(|queue| (&queue.key, queue.has_events))
            .collect();
        // A queue without events may have become one of BullMQ.
        let (old, new): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|key| is_followed.get(key) == Some(&true));
        self.present.extend(old);
        let (old, new): (Vec<_>, Vec<_>) = validate(connection, new)
            .await?
            .into_iter()
            .partition(|found| is_followed.get(&found.key) == Some(&found.events));
        self.present.extend(old.into_iter().map(|found| found.key));
        let anew: HashSet<_> = new.iter().map(|found| &found.key).collect();
        if !anew.is_empty() {
            let is_anew = |key: &QueueKey| anew.contains(key);
            self.context.directory.drop_queues(&self.node, is_anew);
        }
        let followed = self.context.directory.snapshot().queues.len();
        self.adopt(new, followed);
        if ended {
            self.drop_gone(connection).await?;
            // Queues that moved to another node during the sweep may have been missed.
            let mut swept = Slots::clone(&self.slots);
            swept.keep_only(&self.slots_now());
            self.node.space.swept(&swept);
            self.swept = true;
            self.begin();
        }
        Ok(ended)
    }

    /// In a cluster, returns the queues whose slots the node holds; it can also have keys of slots that are migrating
    /// to it.
    async fn of_node(
        &mut self,
        connection: &mut Connection,
        found: Vec<QueueKey>,
    ) -> Result<Vec<QueueKey>, Error> {
        if !self.node.space.is_cluster {
            return Ok(found);
        }
        let (mut tagged, untagged): (Vec<_>, Vec<_>) =
            found.into_iter().partition(QueueKey::is_tagged);
        if !self.untagged
            && let Some(queue) = first_of_bullmq(connection, &untagged).await?
        {
            warn!(
                %queue,
                "a queue without a hash tag in its name or prefix does not work in a cluster; it is not followed"
            );
            self.untagged = true;
        }
        let slots = self.slots_now();
        tagged.retain(|queue| slots.contains(queue.slot()));
        Ok(tagged)
    }

    fn adopt(&mut self, mut keys: Vec<Found>, followed: usize) {
        let settings = &self.context.settings;
        // The queue of the tick is followed in any case.
        keys.sort_by_key(|found| !settings.is_of_tick(found.key.name()));
        let reserved = keys.partition_point(|found| settings.is_of_tick(found.key.name()));
        let room = settings.max_queues.saturating_sub(followed);
        let room = room.max(reserved.min(RESERVED));
        if keys.len() > room {
            if !self.refused {
                warn!(
                    max_queues = settings.max_queues,
                    "redis.max_queues is reached; further queues are not followed"
                );
            }
            self.refused = true;
            self.context
                .families
                .refused
                .add((keys.len() - room) as u64);
            keys.truncate(room);
        }
        if keys.is_empty() {
            return;
        }
        for found in &keys {
            debug!(queue = %found.key, events = found.events, "queue found");
        }
        let without_events = keys.iter().filter(|found| !found.events).count();
        if without_events > 0 {
            info!(
                queues = without_events,
                "queues of Bull have no event stream; their outcomes are unknown"
            );
        }
        info!(
            found = keys.len(),
            followed = followed + keys.len(),
            "following queues"
        );
        self.present
            .extend(keys.iter().map(|found| found.key.clone()));
        // After a refusal, a newly found queue may be an old one.
        let space = &self.node.space;
        let is_new = |key: &QueueKey| space.was_swept(space.slot(key)) && !self.refused;
        self.context.directory.adopt(space, keys, is_new);
    }

    /// Stops following queues that have had no keys for long.
    async fn drop_gone(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let queues = self.context.directory.queues_of(&self.node);
        let missing = queues.iter().map(|queue| &queue.key);
        let missing: Vec<_> = missing.filter(|key| !self.present.contains(*key)).collect();
        let mut pipeline = redis::pipe();
        for key in &missing {
            pipeline.add_command(counting::ask_exists(key));
        }
        let answers = connection.ask_all("finding queues", &pipeline).await?;
        let now = Instant::now();
        let mut gone = HashMap::new();
        for (key, answer) in missing.into_iter().zip(&answers) {
            if vigie_redis::reply::count(answer) == Some(0) {
                let since = self.gone.get(key).copied().unwrap_or(now);
                gone.insert(key.clone(), since);
            }
        }
        let patience = self.context.settings.forget_after;
        let is_over = |key: &QueueKey| gone.get(key).is_some_and(|since| now - *since >= patience);
        self.context.directory.drop_queues(&self.node, is_over);
        gone.retain(|_, since| now - *since < patience);
        self.gone = gone;
        Ok(())
    }
}
