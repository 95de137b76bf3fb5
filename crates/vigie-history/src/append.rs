//! The write path.

use parking_lot::MutexGuard;
use vigie_promql::Sample;
use vigie_promql::value::stale_marker;

use crate::disk::record;
use crate::history::Writer;
use crate::memory::{Head, SeriesRef};
use crate::{Committed, History};

/// Appends the scrapes of one source. A series of the last scrape that is missing in the next one ends there with a
/// stale marker, so that queries do not continue with its last value.
pub struct Appender {
    history: History,
    /// The series of the last scrape.
    last: Vec<SeriesRef>,
    /// The samples of the current scrape.
    samples: Vec<(SeriesRef, f64)>,
}

impl Appender {
    pub(crate) fn new(history: History) -> Self {
        Self {
            history,
            last: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Begins a scrape: samples with one timestamp, in milliseconds since the epoch.
    ///
    /// Other appenders block until it is committed or dropped: fill it without delay, and begin only one per thread.
    pub fn scrape(&mut self, time: i64) -> Scrape<'_> {
        self.samples.clear();
        Scrape {
            time,
            writer: self.history.writer(),
            history: &self.history,
            last: &mut self.last,
            samples: &mut self.samples,
            committed: Committed::default(),
        }
    }
}

/// A scrape in progress. Readers do not see it until it is [committed](Self::commit); dropping it discards it.
pub struct Scrape<'a> {
    time: i64,
    history: &'a History,
    writer: MutexGuard<'a, Writer>,
    last: &'a mut Vec<SeriesRef>,
    samples: &'a mut Vec<(SeriesRef, f64)>,
    committed: Committed,
}

impl Scrape<'_> {
    /// The series with these labels, which include the metric's name as `__name__`. Labels that are sorted by name
    /// and have no empty value are looked up without allocating.
    ///
    /// `None` when the series is new and the limit is reached; this counts as a refusal.
    pub fn series(&mut self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
        let tidy =
            labels.is_sorted_by(|a, b| a.0 < b.0) && labels.iter().all(|label| !label.1.is_empty());
        if tidy {
            return self.sorted_series(labels);
        }
        let labels = vigie_promql::Labels::new(labels.iter().copied());
        let labels: Vec<_> = labels.iter().collect();
        self.sorted_series(&labels)
    }

    /// Adds the sample of a series.
    pub fn sample(&mut self, series: SeriesRef, value: f64) {
        self.samples.push((series, value));
    }

    /// Makes the scrape visible to readers. With files, this waits until it is written, for at most a second.
    pub fn commit(mut self) -> Committed {
        self.append();
        self.write();
        self.history.seal(&self.writer);
        self.committed
    }

    fn sorted_series(&mut self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
        if let Some(known) = self.history.read().table.find(labels) {
            return Some(known);
        }
        let made = self.history.write().series(labels);
        match made {
            Some(series) => self.writer.new.push(series),
            None => self.committed.refused.series_limit += 1,
        }
        made
    }

    /// Appends the samples, removes refused ones, and ends missing series.
    fn append(&mut self) {
        let (time, committed) = (self.time, &mut self.committed);
        self.writer.scrape += 1;
        let scrape = self.writer.scrape;
        let mut memory = self.history.write();
        self.samples.retain(|&(series, value)| {
            let taken = memory.append(series, Sample { time, value });
            if let Err(refusal) = taken {
                committed.refused.count(refusal);
                return false;
            }
            if let Some(series) = memory.table.get_mut(series) {
                series.scrape = scrape;
            }
            true
        });
        let taken = self.samples.len();
        let value = stale_marker();
        for &series in &*self.last {
            let kept = memory.table.get(series);
            let missing = kept.is_some_and(|series| series.scrape != scrape);
            // If the marker is refused, the series has later samples and needs no end.
            if missing && memory.append(series, Sample { time, value }).is_ok() {
                self.samples.push((series, value));
            }
        }
        committed.samples = taken as u64;
        committed.ended = (self.samples.len() - taken) as u64;
        memory.counts.add(committed);
        self.last.clear();
        let current = self.samples[..taken].iter().map(|(series, _)| *series);
        self.last.extend(current);
    }

    /// Passes the scrape to the disk thread.
    fn write(&mut self) {
        let Writer {
            disk, new, records, ..
        } = &mut *self.writer;
        let Some(disk) = disk else {
            new.clear();
            return;
        };
        let memory = self.history.read();
        for series in new.drain(..) {
            if let Some(kept) = memory.table.get(series) {
                record::column(records, series.slot, &kept.labels, &Head::default());
            }
        }
        drop(memory);
        let samples = self.samples.iter();
        let samples = samples.map(|(series, value)| (series.slot, *value));
        record::scrape(records, self.time, samples);
        disk.append(records);
    }
}
