//! The task that finds the queues of a node and counts their jobs, on one connection.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use crate::directory::node::WatchedNode;
use crate::directory::refresh::{self, Age};
use crate::error::Error;
use crate::queue::state::Counted;
use crate::session::backoff::Backoff;
use crate::session::connection::Connection;
use crate::session::context::Context;
use crate::session::inspector::Inspector;
use crate::session::refusals::Refusals;
use crate::session::survey::ask;
use crate::session::sweeper::Sweeper;

/// Commands without which queues or levels are unknown. The README guarantees both, so that their refusal is an error.
pub(crate) const REQUIRED: [&str; 3] = ["SCAN", "LLEN", "ZCARD"];

pub(crate) struct Control {
    context: Arc<Context>,
    node: Arc<WatchedNode>,
    refusals: Arc<Refusals>,
    backoff: Backoff,
    sweeper: Sweeper,
    inspector: Inspector,
}

impl Control {
    pub(crate) fn new(
        context: Arc<Context>,
        node: Arc<WatchedNode>,
        refusals: Arc<Refusals>,
    ) -> Self {
        Self {
            sweeper: Sweeper::new(Arc::clone(&context), Arc::clone(&node)),
            inspector: Inspector::new(Arc::clone(&context), Arc::clone(&node)),
            backoff: Backoff::new(),
            context,
            node,
            refusals,
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
        let context = Arc::clone(&self.context);
        let settings = &context.settings;
        let connection = Connection::open(&self.node.endpoint, settings.timeout, &self.refusals);
        let connection = &mut connection.await?;
        // The server may be another, or have lost its data.
        self.sweeper.begin();
        let mut next_step = Instant::now();
        let mut next_levels = next_step;
        self.inspector.restart();
        loop {
            let next = self.inspector.next().min(next_levels);
            sleep_until(next.min(next_step)).await;
            if next_step <= Instant::now() {
                let known = context.directory.queues_of(&self.node);
                let ended = self.sweeper.step(connection).await?;
                next_step = Instant::now() + self.sweeper.pause(ended);
                if ended && !Arc::ptr_eq(&known, &context.directory.queues_of(&self.node)) {
                    next_levels = Instant::now();
                }
            }
            if next_levels <= Instant::now() {
                self.count(connection).await?;
                next_levels = Instant::now() + settings.levels_every;
            }
            // After the levels, which show which queues need no inspection.
            if self.inspector.next() <= Instant::now() {
                self.inspector.run(connection).await?;
            }
            // Only now, so that a command that breaks the connection is retried with a backoff.
            self.backoff.reset();
            if connection.take_moved() {
                context.hints.elsewhere(&self.node);
            }
        }
    }

    /// Counts the jobs of the queues that are due, in one round trip unless there are many.
    async fn count(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let queues = self.context.directory.queues_of(&self.node);
        let last: Vec<_> = queues.iter().map(|queue| queue.last_count()).collect();
        let ages = last.iter().map(|last| Age {
            counted: last.counted.map(|counted| counted.at),
            quiet: last.is_quiet,
        });
        let now = Instant::now();
        let due = refresh::due(ages, now, self.context.settings.levels_every);
        let markers = |at: usize| last[at].counted.is_none_or(|counted| counted.markers);
        let asked = due.iter().map(|at| (&queues[*at].key, markers(*at)));
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            connection.ask("PING", redis::cmd("PING")).await?;
        }
        let read = ask(connection, &asked).await?;
        if read.contains(&None) && !self.node.space.is_cluster {
            return Err(Error::Connect(vigie_redis::Error::PartOfCluster));
        }
        let published = Instant::now().into_std();
        for (at, read) in due.iter().zip(read) {
            let (queue, by) = (&queues[*at], self.node.id);
            match read {
                Some((levels, markers)) => {
                    let at = now;
                    let counted = Counted {
                        at,
                        levels,
                        markers,
                    };
                    queue.set_counted(by, counted, published);
                }
                None => queue.forget(by),
            }
        }
        let mut names: Vec<_> = due.iter().map(|at| queues[*at].key.name()).collect();
        names.dedup();
        self.context.directory.sum(names.into_iter());
        self.works();
        Ok(())
    }

    fn works(&mut self) {
        let refused = self.refusals.reasons(&REQUIRED);
        let mut health = self.node.health.lock();
        health.refused = refused;
        health.last_levels = Some(Instant::now());
        if health.error.take().is_some() {
            info!(node = self.node.name, "Redis can be read again");
        }
        drop(health);
        self.context.directory.report();
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
        self.context.directory.report();
        self.context.directory.forget(&self.node);
        self.context.hints.broken(&self.node);
    }
}
