//! Periodically inspects all queues of a node and counts their workers, on the connection that also counts jobs.

use std::sync::Arc;

use redis::Value;
use tokio::time::Instant;

use crate::directory::node::WatchedNode;
use crate::error::Error;
use crate::protocol::errors::is_elsewhere;
use crate::protocol::{clients, values};
use crate::queue::followed::Queue;
use crate::queue::holder::NodeId;
use crate::session::connection::Connection;
use crate::session::context::Context;
use crate::session::schedule::Schedule;
use crate::signals::clock::Clock;
use crate::signals::inspection::{Inspection, Subject};

/// Queues inspected together.
const CHUNK: usize = 500;
/// Streams read back per chunk to find the start of a pause: half a megabyte, or 10 MB with large return values.
const READS: usize = 8;
/// Maximum number of steps of an inspection: one, one per priority, and one for the jobs of the last priority.
const STEPS: usize = 40;

pub(crate) struct Inspector {
    context: Arc<Context>,
    node: Arc<WatchedNode>,
    signals: Schedule,
    workers: Schedule,
}

impl Inspector {
    pub(crate) fn new(context: Arc<Context>, node: Arc<WatchedNode>) -> Self {
        Self {
            context,
            node,
            signals: Schedule::now(),
            workers: Schedule::now(),
        }
    }

    /// Reschedules the tasks after a reconnect.
    pub(crate) fn restart(&mut self) {
        self.signals.restart();
        self.workers.restart();
    }

    /// When the next task is due.
    pub(crate) fn next(&self) -> Instant {
        self.signals.next.min(self.workers.next)
    }

    /// Runs the tasks that are due.
    pub(crate) async fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let settings = &self.context.settings;
        let (signals_every, workers_every) = (settings.signals_every, settings.workers_every);
        if self.signals.is_due() {
            self.signals.begin();
            self.inspect_all(connection).await?;
            self.signals.end(signals_every);
        }
        if self.workers.is_due() {
            self.workers.begin();
            self.count_workers(connection).await?;
            self.workers.end(workers_every);
        }
        Ok(())
    }

    /// Inspects all queues whose levels are known.
    async fn inspect_all(&self, connection: &mut Connection) -> Result<(), Error> {
        let queues = self.context.directory.queues_of(&self.node);
        if queues.is_empty() {
            return Ok(());
        }
        let time = connection
            .ask("reading the time", values::ask_time())
            .await?;
        let at = Instant::now().into_std();
        let clock = values::time(&time).map(|now| Clock { now, at });
        let chunks: Vec<_> = queues.chunks(CHUNK).collect();
        // The replies for one chunk are processed while the server handles the next.
        let mut other = connection.clone();
        let (first, second) = tokio::join!(
            self.inspect_chunks(connection, clock, chunks.iter().step_by(2)),
            self.inspect_chunks(&mut other, clock, chunks.iter().skip(1).step_by(2)),
        );
        connection.join(&other);
        first.and(second)
    }

    async fn inspect_chunks<'a>(
        &self,
        connection: &mut Connection,
        clock: Option<Clock>,
        chunks: impl Iterator<Item = &'a &'a [Arc<Queue>]>,
    ) -> Result<(), Error> {
        for chunk in chunks {
            let mut reads = READS;
            let counted = chunk.iter().filter_map(|queue| {
                let (levels, remembered) = queue.begin_inspection()?;
                let subject = Subject {
                    key: &queue.key,
                    now: clock.map(|clock| clock.now),
                    levels,
                    events: queue.has_events,
                    remembered,
                };
                Some((&**queue, Inspection::new(subject, &mut reads)))
            });
            inspect(connection, self.node.id, clock, counted.collect()).await?;
        }
        Ok(())
    }

    async fn count_workers(&self, connection: &mut Connection) -> Result<(), Error> {
        let reply = connection.ask("listing clients", clients::ask()).await?;
        let queues = self.context.directory.queues_of(&self.node);
        let keys = queues.iter().map(|queue| &queue.key);
        let database = self.node.endpoint.database().unwrap_or(0);
        let counted = clients::count(&reply, database, keys);
        for (at, queue) in queues.iter().enumerate() {
            let workers = counted.as_ref().map(|counted| counted[at]);
            queue.set_workers(self.node.id, workers);
        }
        Ok(())
    }
}

/// Advances the inspections together until all are complete.
async fn inspect(
    connection: &mut Connection,
    node: NodeId,
    clock: Option<Clock>,
    mut inspections: Vec<(&Queue, Inspection<'_>)>,
) -> Result<(), Error> {
    for _ in 0..STEPS {
        let mut pipeline = redis::pipe();
        let mut lengths = Vec::with_capacity(inspections.len());
        for (_, inspection) in &inspections {
            let before = pipeline.len();
            inspection.ask(&mut pipeline);
            lengths.push(pipeline.len() - before);
        }
        if pipeline.is_empty() {
            break;
        }
        let answers = connection.ask_all("inspecting jobs", &pipeline).await?;
        let mut rest = answers.as_slice();
        let mut lengths = lengths.into_iter();
        inspections.retain_mut(|(queue, inspection)| {
            let length = lengths.next().unwrap_or(0);
            let (mine, others): (&[Value], _) = rest.split_at(length.min(rest.len()));
            rest = others;
            if mine.iter().any(is_elsewhere) {
                // The queue is migrating to another node, and its data may be split.
                queue.forget_signals(node);
                return false;
            }
            if length > 0 {
                queue.inspect(inspection, mine);
            }
            true
        });
    }
    for (queue, inspection) in inspections {
        queue.end_inspection(node, inspection.end(), clock, Instant::now());
    }
    Ok(())
}
