//! The task that finds the queues of a node and counts their jobs, on one connection.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};
use vigie_redis::Slots;

use crate::error::Error;
use crate::nodes::link::{Backoff, Link};
use crate::nodes::node::Node;
use crate::queues::discovery::{FIRST_PAUSE, Found, PAUSE, Sweep};
use crate::queues::key::QueueKey;
use crate::queues::levels;
use crate::queues::refresh::{self, Seen};
use crate::queues::survey::{ask, first_of_bullmq, step, validate};
use crate::shared::{Counted, Shared};
use crate::signals::inspector::Inspector;

/// Commands without which queues or levels are unknown. The README guarantees both, so that their refusal is an error.
pub(crate) const REQUIRED: [&str; 3] = ["SCAN", "LLEN", "ZCARD"];

pub(crate) struct Control {
    shared: Arc<Shared>,
    node: Arc<Node>,
    backoff: Backoff,
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
    inspector: Inspector,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>, node: Arc<Node>) -> Self {
        Self {
            inspector: Inspector::new(Arc::clone(&shared), Arc::clone(&node)),
            shared,
            backoff: Backoff::new(),
            sweep: Sweep::default(),
            slots: node.slots(),
            node,
            swept: false,
            present: HashSet::new(),
            gone: HashMap::new(),
            refused: false,
            untagged: false,
        }
    }

    /// Runs until dropped.
    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            let Err(error) = self.session().await;
            self.failed(&error);
            sleep(self.backoff.next()).await;
        }
    }

    /// Runs from connecting to the first error.
    async fn session(&mut self) -> Result<Infallible, Error> {
        let shared = Arc::clone(&self.shared);
        let settings = &shared.settings;
        let refusals = &Arc::clone(&self.node.refusals);
        let mut link = Link::open(&self.node.endpoint, settings.timeout, refusals).await?;
        // The server may be another, or have lost its data.
        self.begin();
        let mut next_step = Instant::now();
        let mut next_levels = next_step;
        self.inspector.restart();
        loop {
            let next = self.inspector.next().min(next_levels);
            sleep_until(next.min(next_step)).await;
            if next_step <= Instant::now() {
                let known = self.node.queues();
                let ended = self.step(&mut link).await?;
                next_step = Instant::now() + self.pause(ended);
                if ended && !Arc::ptr_eq(&known, &self.node.queues()) {
                    next_levels = Instant::now();
                }
            }
            if next_levels <= Instant::now() {
                self.count(&mut link).await?;
                next_levels = Instant::now() + settings.levels_every;
            }
            // After the levels, which show which queues need no inspection.
            if self.inspector.next() <= Instant::now() {
                self.inspector.run(&mut link).await?;
            }
            // Only now, so that a command that breaks the connection is retried with a backoff.
            self.backoff.reset();
            if link.take_moved() {
                self.shared.hints.elsewhere(&self.node);
            }
        }
    }

    /// Starts a sweep over all keys.
    fn begin(&mut self) {
        self.sweep = Sweep::default();
        self.slots = self.node.slots();
        self.present.clear();
    }

    fn pause(&self, ended: bool) -> Duration {
        match (ended, self.swept) {
            (true, _) => self.shared.settings.discover_every,
            (false, true) => PAUSE,
            (false, false) => FIRST_PAUSE,
        }
    }

    /// Makes one step of the sweep. Returns whether it was the last.
    async fn step(&mut self, link: &mut Link) -> Result<bool, Error> {
        let Some((found, ended)) = step(link, &mut self.sweep).await? else {
            // After a refusal, the sweep restarts when the next one is due.
            self.begin();
            return Ok(true);
        };
        let found = self.of_node(link, found).await?;
        let followed = self.node.queues();
        let is_followed: HashMap<&QueueKey, bool> = followed
            .iter()
            .map(|queue| (&queue.key, queue.events))
            .collect();
        // A queue without events may have become one of BullMQ.
        let (old, new): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|key| is_followed.get(key) == Some(&true));
        self.present.extend(old);
        let (old, new): (Vec<_>, Vec<_>) = validate(link, new)
            .await?
            .into_iter()
            .partition(|found| is_followed.get(&found.key) == Some(&found.events));
        self.present.extend(old.into_iter().map(|found| found.key));
        let anew: HashSet<_> = new.iter().map(|found| &found.key).collect();
        if !anew.is_empty() {
            let is_anew = |key: &QueueKey| anew.contains(key);
            self.shared.drop_queues(&self.node, is_anew);
        }
        let followed = self.shared.queues().len();
        self.adopt(new, followed);
        if ended {
            self.drop_gone(link).await?;
            // Queues that moved to another node during the sweep may have been missed.
            let mut swept = Slots::clone(&self.slots);
            swept.keep_only(&self.node.slots());
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
        link: &mut Link,
        found: Vec<QueueKey>,
    ) -> Result<Vec<QueueKey>, Error> {
        if !self.node.space.is_cluster {
            return Ok(found);
        }
        let (mut tagged, untagged): (Vec<_>, Vec<_>) =
            found.into_iter().partition(QueueKey::is_tagged);
        if !self.untagged
            && let Some(queue) = first_of_bullmq(link, &untagged).await?
        {
            warn!(
                %queue,
                "a queue without a hash tag in its name or prefix does not work in a cluster; it is not followed"
            );
            self.untagged = true;
        }
        let slots = self.node.slots();
        tagged.retain(|queue| slots.contains(queue.slot()));
        Ok(tagged)
    }

    fn adopt(&mut self, mut keys: Vec<Found>, followed: usize) {
        let room = self.shared.settings.max_queues.saturating_sub(followed);
        if keys.len() > room {
            if !self.refused {
                warn!(
                    max_queues = self.shared.settings.max_queues,
                    "redis.max_queues is reached; further queues are not followed"
                );
            }
            self.refused = true;
            self.shared.families.refused.add((keys.len() - room) as u64);
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
        self.shared.adopt(space, keys, is_new);
    }

    /// Stops following queues that have had no keys for long.
    async fn drop_gone(&mut self, link: &mut Link) -> Result<(), Error> {
        let queues = self.node.queues();
        let missing = queues.iter().map(|queue| &queue.key);
        let missing: Vec<_> = missing.filter(|key| !self.present.contains(*key)).collect();
        let mut pipeline = redis::pipe();
        for key in &missing {
            pipeline.add_command(levels::ask_exists(key));
        }
        let answers = link.ask_all("finding queues", &pipeline).await?;
        let now = Instant::now();
        let mut gone = HashMap::new();
        for (key, answer) in missing.into_iter().zip(&answers) {
            if vigie_redis::reply::count(answer) == Some(0) {
                let since = self.gone.get(key).copied().unwrap_or(now);
                gone.insert(key.clone(), since);
            }
        }
        let patience = self.shared.settings.forget_after;
        let is_over = |key: &QueueKey| gone.get(key).is_some_and(|since| now - *since >= patience);
        self.shared.drop_queues(&self.node, is_over);
        gone.retain(|_, since| now - *since < patience);
        self.gone = gone;
        Ok(())
    }

    /// Counts the jobs of the queues that are due, in one round trip unless there are many.
    async fn count(&mut self, link: &mut Link) -> Result<(), Error> {
        let queues = self.node.queues();
        let known: Vec<_> = queues.iter().map(|queue| *queue.counted.lock()).collect();
        let seen = queues.iter().zip(&known).map(|(queue, known)| Seen {
            counted: known.map(|known| known.at),
            quiet: queue.activity.was_quiet(),
        });
        let now = Instant::now();
        let due = refresh::due(seen, now, self.shared.settings.levels_every);
        let asked: Vec<_> = due
            .iter()
            .map(|at| {
                (
                    &queues[*at].key,
                    known[*at].is_none_or(|known| known.markers),
                )
            })
            .collect();
        match asked.is_empty() {
            true => drop(link.ask("PING", redis::cmd("PING")).await?),
            false => {
                let read = ask(link, &asked).await?;
                if read.contains(&None) && !self.node.space.is_cluster {
                    return Err(Error::Connect(vigie_redis::Error::PartOfCluster));
                }
                for (at, read) in due.iter().zip(read) {
                    queues[*at].if_held_by(&self.node, |queue| match read {
                        Some((levels, markers)) => {
                            queue.set_levels(Counted {
                                at: now,
                                levels,
                                markers,
                            });
                        }
                        None => queue.forget(),
                    });
                }
            }
        }
        let mut names: Vec<_> = due.iter().map(|at| queues[*at].key.name()).collect();
        names.dedup();
        names.into_iter().for_each(|name| self.shared.sum(name));
        self.works();
        Ok(())
    }

    fn works(&mut self) {
        let mut health = self.node.health.lock();
        health.refused = self.node.refusals.reasons(&REQUIRED);
        health.last_levels = Some(Instant::now());
        if health.error.take().is_some() {
            info!(node = self.node.name, "Redis can be read again");
        }
        drop(health);
        self.shared.report();
    }

    /// Discards the node's levels and signals after a connection error.
    fn failed(&mut self, error: &Error) {
        let text = self.node.describe(error);
        let mut health = self.node.health.lock();
        if health.error.as_ref() != Some(&text) {
            warn!(
                error = text,
                "cannot read Redis; job levels are unknown until it recovers"
            );
        }
        health.error = Some(text);
        drop(health);
        self.shared.report();
        self.shared.forget(&self.node);
        self.shared.hints.broken(&self.node);
    }
}
