//! The counters of a queue, by job name and in total.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;
use vigie_metrics::{Counter, Gauge, Histogram, Series};

use crate::events::batch::{Batch, End, Incident};
use crate::events::names::{NameId, Names, OTHER, UNKNOWN};
use crate::protocol::key::QueueKey;
use crate::protocol::outcome::{Ended, Final, Outcome, PerFinal, PerOutcome};
use crate::series::families::Families;
use crate::series::levels::Row;

/// Number of names in a log line.
const LOGGED: usize = 5;

/// The counters of one queue.
pub(crate) struct Counts {
    families: Arc<Families>,
    queue: QueueKey,
    row: Arc<Row>,
    /// Series by the place of the name.
    names: Vec<NameSeries>,
    /// Places by the number of the name.
    places: Vec<usize>,
    /// The version of the names for which these were built.
    version: u64,
    /// The number of the current batch.
    batch: u64,
    /// Jobs counted as `other`.
    folded: Arc<Series<Counter, 2>>,
    /// The count at which to log again.
    log_at: u64,
    /// Outcomes that are not yet in the row.
    ended: Ended,
    pub(crate) read: Arc<Series<Counter, 2>>,
    pub(crate) lost: Arc<Series<Counter, 2>>,
    unmeasured: Arc<Series<Counter, 2>>,
    /// Whether all outcomes are counted.
    pub(crate) exact: Arc<Series<Gauge, 2>>,
}

struct NameSeries {
    label: Box<str>,
    /// The batch in which the series were created; later counts may have been preceded by a scrape at 0.
    since: u64,
    added: Arc<Series<Counter, 3>>,
    attempts_failed: Arc<Series<Counter, 3>>,
    finished: PerFinal<Arc<Series<Counter, 4>>>,
    /// Created on first use, because histograms are large.
    waits: Option<Arc<Series<Histogram, 3>>>,
    runs: PerOutcome<Option<Arc<Series<Histogram, 4>>>>,
    ticks: Option<Arc<Series<Histogram, 0>>>,
}

impl Counts {
    pub(crate) fn new(families: &Arc<Families>, queue: &QueueKey, row: &Arc<Row>) -> Self {
        let labels = [queue.prefix(), queue.name()];
        // Exists from the start, independently of job names.
        for family in [&families.stalled, &families.removed, &families.deduplicated] {
            family.add([labels[0], labels[1], UNKNOWN], 0);
        }
        Self {
            families: Arc::clone(families),
            queue: queue.clone(),
            row: Arc::clone(row),
            names: Vec::new(),
            places: Vec::new(),
            version: 0,
            batch: 0,
            folded: families.folded.series(labels),
            log_at: 1,
            ended: Ended::default(),
            read: families.read.series(labels),
            lost: families.lost.series(labels),
            unmeasured: families.unmeasured.series(labels),
            exact: families.exact.series(labels),
        }
    }

    /// Starts a batch: the series of all earlier names have existed at 0.
    pub(crate) fn begin_batch(&mut self) {
        self.batch += 1;
    }

    /// Creates most series of a name, at 0, when the name gets a place, and removes those of names that lost theirs.
    pub(crate) fn follow(&mut self, names: &Names) {
        let folded = names.folded().saturating_sub(self.folded.get());
        if folded > 0 {
            self.folded.add(folded);
            self.log_folded(names);
        }
        if names.version() == self.version {
            return;
        }
        self.version = names.version();
        for (place, label) in names.labels().iter().enumerate() {
            match self.names.get(place) {
                Some(series) if series.label == *label => {}
                Some(series) => {
                    let queue = [self.queue.prefix(), self.queue.name()];
                    self.families.remove_name(queue, &series.label);
                    self.names[place] = self.series(label);
                }
                None => self.names.push(self.series(label)),
            }
        }
        let other = names.labels().iter().position(|label| **label == *OTHER);
        let places = names.places().map(|place| place.or(other));
        self.places.clear();
        self.places
            .extend(places.map(|place| place.unwrap_or(usize::MAX)));
    }

    fn log_folded(&mut self, names: &Names) {
        let jobs = names.folded();
        if jobs >= self.log_at {
            self.log_at = jobs.saturating_mul(10);
            info!(
                queue = %self.queue,
                jobs,
                names = ?names.most_folded(LOGGED),
                "too many job names; jobs of further names are counted under the name other"
            );
        }
    }

    fn series(&self, label: &str) -> NameSeries {
        let (prefix, queue) = (self.queue.prefix(), self.queue.name());
        let finished = |end: Final| {
            let labels = [prefix, queue, label, end.as_str()];
            self.families.finished.series(labels)
        };
        self.families.stalled.add([prefix, queue, label], 0);
        let ticks = self.families.tick.as_ref();
        let ticks = ticks.filter(|(tick, _)| tick.is(queue, label));
        NameSeries {
            label: label.into(),
            since: self.batch,
            added: self.families.added.series([prefix, queue, label]),
            attempts_failed: self.families.attempts_failed.series([prefix, queue, label]),
            finished: PerFinal::from_fn(finished),
            waits: None,
            runs: PerOutcome::default(),
            ticks: ticks.map(|(_, series)| Arc::clone(series)),
        }
    }

    /// Counts the added jobs and the wait times of a batch. Its names were passed to [`Counts::follow`].
    pub(crate) fn arrived(&mut self, batch: &Batch) {
        for name in &batch.added {
            let place = self.places.get(name.index());
            if let Some(series) = place.and_then(|place| self.names.get(*place)) {
                series.added.inc();
            }
        }
        for (name, wait) in &batch.waits {
            self.waited(*name, *wait);
        }
    }

    /// Records the wait time of an attempt.
    pub(crate) fn waited(&mut self, name: NameId, wait: Duration) {
        let place = self.places.get(name.index());
        let Some(series) = place.and_then(|place| self.names.get_mut(*place)) else {
            return;
        };
        let waits = series.waits.get_or_insert_with(|| {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            self.families.waits.series([prefix, queue, &series.label])
        });
        waits.observe(wait);
    }

    /// Records the end of an attempt. Its name was passed to [`Counts::follow`].
    pub(crate) fn end(&mut self, name: NameId, end: &End) {
        let place = self.places.get(name.index());
        let Some(series) = place.and_then(|place| self.names.get_mut(*place)) else {
            return;
        };
        if let Outcome::Final(end) = end.outcome {
            series.finished[end].inc();
            self.ended[end] += 1;
        }
        if end.attempt_failed {
            series.attempts_failed.inc();
        }
        let Some(run) = end.run else {
            self.unmeasured.inc();
            return;
        };
        let runs = series.runs[end.outcome].get_or_insert_with(|| {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            let labels = [prefix, queue, &series.label, end.outcome.as_str()];
            self.families.runs.series(labels)
        });
        runs.observe(run);
        if let Some(ticks) = &series.ticks
            && end.outcome != Outcome::Retried
        {
            ticks.observe(run);
        }
    }

    /// Records an incident for a number of jobs of a name that was passed to [`Counts::follow`], or that is unknown.
    ///
    /// Alerts must see stalls as an increase: a stall that is the first event of a name is counted under a series that
    /// existed at 0. The other incidents are rare: their series are created on first use.
    pub(crate) fn tally(&self, incident: Incident, name: Option<NameId>, jobs: u64) {
        let family = match incident {
            Incident::Stalled => &self.families.stalled,
            Incident::Removed => &self.families.removed,
            Incident::Deduplicated => &self.families.deduplicated,
        };
        let place = name.and_then(|name| self.places.get(name.index()));
        let series = place.and_then(|place| self.names.get(*place));
        let is_seen =
            |series: &&NameSeries| incident != Incident::Stalled || series.since < self.batch;
        let series = series.filter(is_seen);
        let name = series.map_or(UNKNOWN, |series| &series.label);
        family.add([self.queue.prefix(), self.queue.name(), name], jobs);
    }

    /// Counts jobs whose outcomes were recovered.
    pub(crate) fn missed(&mut self, name: NameId, missed: Ended) {
        let place = self.places.get(name.index());
        let Some(series) = place.and_then(|place| self.names.get(*place)) else {
            return;
        };
        for (end, more) in missed.iter() {
            series.finished[end].add(*more);
            self.ended[end] += more;
            self.unmeasured.add(*more);
        }
    }

    /// Adds the outcomes to the row. No lock of a queue may be held.
    pub(crate) fn publish(&mut self) {
        if !self.ended.is_zero() {
            self.row.add(std::mem::take(&mut self.ended));
        }
    }
}
