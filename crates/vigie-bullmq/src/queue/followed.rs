//! A followed queue: one lock around its state, and the series published from it.
//!
//! A lock of `vigie-metrics` may be taken while the state is locked; `Row::total` may not (see [`Row::show`]).

use std::sync::Arc;
use std::time::Instant as StdInstant;

use parking_lot::Mutex;
use redis::Value;
use tokio::time::Instant;

use crate::events::fold::Fold;
use crate::failures::reasons::{Failures, Reasons, Wanted};
use crate::protocol::check::Check;
use crate::protocol::discovery::Found;
use crate::protocol::key::QueueKey;
use crate::protocol::levels::Levels;
use crate::queue::events::Nameless;
use crate::queue::holder::NodeId;
use crate::queue::keyspace::Keyspace;
use crate::queue::reading::Reading;
use crate::queue::state::{Counted, State};
use crate::series::levels::{LevelSeries, Row};
use crate::series::signals::SignalSeries;
use crate::signals::ask::Replies;
use crate::signals::clock::Clock;
use crate::signals::inspection::{Inspection, Remembered, Signals};

/// A followed queue.
pub(crate) struct Queue {
    pub(crate) key: QueueKey,
    pub(crate) space: Arc<Keyspace>,
    pub(crate) slot: u16,
    /// Whether the queue has an event stream; without one, only its levels are measured.
    pub(crate) has_events: bool,
    /// Whether the queue was created after the first sweep began; its stream is then read from the first entry.
    is_new: bool,
    pub(crate) row: Arc<Row>,
    levels: LevelSeries,
    pub(crate) signals: SignalSeries,
    state: Mutex<State>,
}

/// When a queue was last counted, and whether it changed since.
#[derive(Clone, Copy)]
pub(crate) struct LastCount {
    pub(crate) counted: Option<Counted>,
    pub(crate) is_quiet: bool,
}

/// The followed queues, sorted by name, prefix and database. Replaced as a whole when a queue is added or removed.
pub(crate) type Queues = Arc<[Arc<Queue>]>;

impl Queue {
    pub(crate) fn new(
        Found { key, events }: Found,
        space: &Arc<Keyspace>,
        is_new: bool,
        row: Arc<Row>,
        fold: Fold,
        reasons: Reasons,
    ) -> Self {
        let families = &space.families;
        if events {
            row.begin();
        }
        Self {
            levels: LevelSeries::new(families, &key),
            signals: SignalSeries::new(families, &key),
            space: Arc::clone(space),
            slot: space.slot(&key),
            has_events: events,
            is_new,
            key,
            row,
            state: Mutex::new(State::new(fold, reasons)),
        }
    }

    /// Sort order: name, prefix, database.
    pub(crate) fn order(&self) -> (&str, &str, Option<u16>) {
        let (name, prefix) = self.key.order();
        (name, prefix, self.space.database)
    }

    /// The node that reads the queue, and its last count.
    pub(crate) fn current(&self) -> (Option<NodeId>, Option<Counted>) {
        let state = self.state.lock();
        (state.holder, state.counted)
    }

    /// Assigns the queue to a node. The levels and signals from another node are discarded. Returns whether the queue
    /// was assigned to another node before.
    pub(crate) fn assign(&self, holder: Option<NodeId>) -> bool {
        let mut state = self.state.lock();
        if state.holder == holder {
            return false;
        }
        let before = std::mem::replace(&mut state.holder, holder);
        self.discard(&mut state);
        before.is_some()
    }

    /// Detaches the queue from its node when it is no longer followed. Returns whether no task has its reading, so that
    /// its counts can be removed.
    #[must_use]
    pub(crate) fn detach(&self) -> bool {
        let mut state = self.state.lock();
        state.holder = None;
        state.reading.end()
    }

    /// When the queue was last counted. Changes from now on are reported by the next call.
    pub(crate) fn last_count(&self) -> LastCount {
        let mut state = self.state.lock();
        LastCount {
            counted: state.counted,
            is_quiet: state.activity.was_quiet(),
        }
    }

    /// Stores a new count, and adapts the signals to it until the next inspection. Ignored if the queue has moved to
    /// another node meanwhile.
    pub(crate) fn set_counted(&self, by: NodeId, counted: Counted, now: StdInstant) {
        let mut state = self.state.lock();
        if state.holder != Some(by) {
            return;
        }
        let before = state.counted.replace(counted).map(|before| before.levels);
        self.levels.set(&counted.levels);
        self.signals.adapt(before.as_ref(), &counted.levels, now);
    }

    /// Discards the levels and signals, which are no longer known. Ignored if the queue has moved to another node
    /// meanwhile.
    pub(crate) fn forget(&self, by: NodeId) {
        let mut state = self.state.lock();
        if state.holder == Some(by) {
            self.discard(&mut state);
        }
    }

    /// Stores the number of workers; `None`: unknown. Ignored if the queue has moved to another node meanwhile.
    pub(crate) fn set_workers(&self, by: NodeId, workers: Option<u64>) {
        let state = self.state.lock();
        if state.holder == Some(by) {
            self.signals.workers(workers);
        }
    }

    /// Discards the signals, which are no longer known. Ignored if the queue has moved to another node meanwhile.
    pub(crate) fn forget_signals(&self, by: NodeId) {
        let state = self.state.lock();
        if state.holder == Some(by) {
            self.signals.forget();
        }
    }

    fn discard(&self, state: &mut State) {
        state.counted = None;
        self.levels.forget();
        self.signals.forget();
        self.signals.workers(None);
    }

    /// The levels and the state kept from the last inspection; `None` if the levels are unknown.
    pub(crate) fn begin_inspection(&self) -> Option<(Levels, Remembered)> {
        self.state.lock().begin_inspection()
    }

    /// Processes the replies to a step of an inspection.
    pub(crate) fn inspect(&self, inspection: &mut Inspection<'_>, replies: &[Value]) {
        let state = self.state.lock();
        inspection.take(&mut Replies::new(replies), &*state);
    }

    /// Stores and publishes the result of an inspection that ended at `at`.
    pub(crate) fn end_inspection(
        &self,
        by: NodeId,
        (signals, remembered): (Signals, Remembered),
        clock: Option<Clock>,
        at: Instant,
    ) {
        let mut state = self.state.lock();
        state.end_inspection(remembered, clock, at);
        if state.holder == Some(by) {
            self.signals.set(&signals, clock, at.into_std());
        }
    }

    /// Takes the reading of the stream; `None` if another task has it, or the queue is no longer followed.
    pub(crate) fn take_reading(&self) -> Option<Box<Reading>> {
        let begin = || Box::new(Reading::new(&self.space.families, &self.key, &self.row));
        self.state.lock().reading.take(begin)
    }

    /// Puts the reading back for the next task. Returns whether the queue is no longer followed, so that its counts can
    /// be removed.
    #[must_use]
    pub(crate) fn give_reading(&self, reading: Box<Reading>) -> bool {
        let mut state = self.state.lock();
        state.activity.follow(false);
        reading.counts.exact.forget();
        state.reading.give(reading)
    }

    /// Processes the server's counts of the stream.
    pub(crate) fn check(&self, reading: &mut Reading, check: &Check) {
        self.state.lock().check(reading, check, self.is_new);
        reading.publish();
    }

    /// Processes entries of the stream. `full`: the reply was cut at the limit, and more entries may follow.
    ///
    /// Returns the events that are not counted yet, because the names of their jobs have to be looked up.
    pub(crate) fn read(
        &self,
        reading: &mut Reading,
        entries: &[Value],
        full: bool,
    ) -> Vec<Nameless> {
        let nameless = self.state.lock().read(reading, entries, full);
        reading.publish();
        nameless
    }

    /// Counts an event after the lookup of its name; `None`: the name is unknown.
    pub(crate) fn name(&self, reading: &mut Reading, event: &Nameless, name: Option<&[u8]>) {
        self.state.lock().name(reading, event, name);
        reading.publish();
    }

    /// Why jobs failed; `None` if the events are not read.
    pub(crate) fn failures(&self) -> Option<Failures> {
        let state = self.state.lock();
        let failures = state.reasons.list();
        let is_known = state.activity.is_followed() || !failures.reasons.is_empty();
        is_known.then_some(failures)
    }

    /// The jobs whose stack traces are wanted, at most `most`.
    pub(crate) fn take_wanted(&self, most: usize) -> Vec<Wanted> {
        self.state.lock().reasons.take_wanted(most)
    }

    /// Adds a stack trace that was read from its job.
    pub(crate) fn learn(&self, wanted: &Wanted, stacktrace: &[u8]) {
        self.state.lock().reasons.learn(wanted, stacktrace);
    }

    /// Records the end of a read: whether the stream is on this node, and, if all its events have been processed, until
    /// when.
    pub(crate) fn followed(&self, is_here: bool, complete: Option<Instant>) {
        let mut state = self.state.lock();
        state.activity.follow(is_here);
        if let Some(until) = complete {
            state.activity.complete(until);
        }
    }
}

#[cfg(test)]
#[path = "followed_tests.rs"]
mod tests;
