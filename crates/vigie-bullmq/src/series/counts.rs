//! What happened in a queue.

use std::sync::Arc;
use std::time::Duration;

use vigie_metrics::{Counter, Gauge, Histogram, Series};

use super::{FINAL, Families, Row};
use crate::events::fold::{Batch, End, Incident};
use crate::events::names::{NameId, UNKNOWN};
use crate::queues::key::QueueKey;

/// How an attempt can end, in the order of `Outcome`.
const OUTCOMES: [&str; 3] = ["completed", "failed", "retried"];

/// What is counted of one queue.
pub(crate) struct Counts {
    families: Arc<Families>,
    queue: QueueKey,
    row: Arc<Row>,
    names: Vec<NameSeries>,
    /// How many names there were before this batch: what is counted by them may have been seen at 0.
    settled: usize,
    /// Ends not yet in the row.
    ended: [u64; 2],
    pub(crate) read: Arc<Series<Counter, 2>>,
    pub(crate) lost: Arc<Series<Counter, 2>>,
    unmeasured: Arc<Series<Counter, 2>>,
    /// Whether all that ended is counted.
    pub(crate) exact: Arc<Series<Gauge, 2>>,
}

struct NameSeries {
    label: Box<str>,
    added: Arc<Series<Counter, 3>>,
    attempts_failed: Arc<Series<Counter, 3>>,
    finished: [Arc<Series<Counter, 4>>; 2],
    /// Made when first needed: a histogram is large.
    waits: Option<Arc<Series<Histogram, 3>>>,
    runs: [Option<Arc<Series<Histogram, 4>>>; 3],
    ticks: Option<Arc<Series<Histogram, 0>>>,
}

impl Counts {
    pub(crate) fn new(families: &Arc<Families>, queue: &QueueKey, row: &Arc<Row>) -> Self {
        let labels = [queue.prefix(), queue.name()];
        // There from the start, whatever the names will be.
        for family in [&families.stalled, &families.removed, &families.deduplicated] {
            family.add([labels[0], labels[1], UNKNOWN], 0);
        }
        Self {
            families: Arc::clone(families),
            queue: queue.clone(),
            row: Arc::clone(row),
            names: Vec::new(),
            settled: 0,
            ended: [0; 2],
            read: families.read.series(labels),
            lost: families.lost.series(labels),
            unmeasured: families.unmeasured.series(labels),
            exact: families.exact.series(labels),
        }
    }

    /// A batch begins: the series of all names so far have been there at 0.
    pub(crate) fn begin_batch(&mut self) {
        self.settled = self.names.len();
    }

    /// Nearly everything that is counted by name exists, at 0, as soon as the name is seen.
    pub(crate) fn name(&mut self, labels: &[Box<str>]) {
        for label in labels.iter().skip(self.names.len()) {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            let finished = |outcome| {
                let labels = [prefix, queue, label, outcome];
                self.families.finished.series(labels)
            };
            self.families.stalled.add([prefix, queue, label], 0);
            let ticks = self.families.tick.as_ref();
            let ticks = ticks.filter(|(tick, _)| tick.is(queue, label));
            self.names.push(NameSeries {
                label: label.clone(),
                added: self.families.added.series([prefix, queue, label]),
                attempts_failed: self.families.attempts_failed.series([prefix, queue, label]),
                finished: FINAL.map(finished),
                waits: None,
                runs: [None, None, None],
                ticks: ticks.map(|(_, series)| Arc::clone(series)),
            });
        }
    }

    /// What was added in a batch, and how long others waited. Its names were handed to [`Counts::name`].
    pub(crate) fn arrived(&mut self, batch: &Batch) {
        for name in &batch.added {
            if let Some(series) = self.names.get(name.index()) {
                series.added.inc();
            }
        }
        for (name, wait) in &batch.waits {
            self.waited(*name, *wait);
        }
    }

    /// An attempt began after so long.
    pub(crate) fn waited(&mut self, name: NameId, wait: Duration) {
        let Some(series) = self.names.get_mut(name.index()) else {
            return;
        };
        let waits = series.waits.get_or_insert_with(|| {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            self.families.waits.series([prefix, queue, &series.label])
        });
        waits.observe(wait);
    }

    /// An attempt ended. Its name was handed to [`Counts::name`].
    pub(crate) fn end(&mut self, name: NameId, end: &End) {
        let Some(series) = self.names.get_mut(name.index()) else {
            return;
        };
        let outcome = end.outcome as usize;
        if let Some(finished) = series.finished.get(outcome) {
            finished.inc();
            self.ended[outcome] += 1;
        }
        if end.attempt_failed {
            series.attempts_failed.inc();
        }
        let Some(run) = end.run else {
            self.unmeasured.inc();
            return;
        };
        let runs = series.runs[outcome].get_or_insert_with(|| {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            let labels = [prefix, queue, &series.label, OUTCOMES[outcome]];
            self.families.runs.series(labels)
        });
        runs.observe(run);
        if let Some(ticks) = &series.ticks
            && outcome < FINAL.len()
        {
            ticks.observe(run);
        }
    }

    /// The same happened to so many jobs of a name that was handed to [`Counts::name`], or of none that is known.
    ///
    /// What is alerted on must be seen to grow: a stall whose name came with it is counted where there was a 0 before.
    /// Most jobs never see the other two: a name has a series of them when it is first needed.
    pub(crate) fn tally(&self, incident: Incident, name: Option<NameId>, jobs: u64) {
        let (family, names) = match incident {
            Incident::Stalled => (&self.families.stalled, &self.names[..self.settled]),
            Incident::Removed => (&self.families.removed, &*self.names),
            Incident::Deduplicated => (&self.families.deduplicated, &*self.names),
        };
        let series = name.and_then(|name| names.get(name.index()));
        let name = series.map_or(UNKNOWN, |series| &series.label);
        family.add([self.queue.prefix(), self.queue.name(), name], jobs);
    }

    /// So many jobs ended unseen, completed and failed.
    pub(crate) fn missed(&mut self, name: NameId, missed: [u64; 2]) {
        let Some(series) = self.names.get(name.index()) else {
            return;
        };
        for (at, more) in missed.into_iter().enumerate() {
            series.finished[at].add(more);
            self.ended[at] += more;
            self.unmeasured.add(more);
        }
        self.publish();
    }

    /// Brings the ends into the row.
    pub(crate) fn publish(&mut self) {
        if self.ended != [0; 2] {
            self.row.add(std::mem::take(&mut self.ended));
        }
    }
}
