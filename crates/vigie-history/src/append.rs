//! Writing.

use parking_lot::MutexGuard;
use vigie_promql::Sample;
use vigie_promql::value::stale_marker;

use crate::disk::record;
use crate::history::Writer;
use crate::memory::{Head, SeriesRef};
use crate::{Committed, History};

/// Appends the scrapes of one source. A series that its last scrape had and the next one has not ends there, with a stale
/// marker, so that queries do not go on with its last value.
pub struct Appender {
    history: History,
    /// The series of the last scrape.
    last: Vec<SeriesRef>,
    /// The samples of the scrape under way.
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

    /// Begins a scrape: samples of one time, in milliseconds since the epoch.
    ///
    /// Other appenders wait until it is committed or dropped, so it is filled without delay, and one thread has one at a time.
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

/// A scrape under way. Nobody sees it before it is [committed](Self::commit); dropped, it never was.
pub struct Scrape<'a> {
    time: i64,
    history: &'a History,
    writer: MutexGuard<'a, Writer>,
    last: &'a mut Vec<SeriesRef>,
    samples: &'a mut Vec<(SeriesRef, f64)>,
    committed: Committed,
}

impl Scrape<'_> {
    /// The series of these labels, the metric's name as `__name__` among them. Those that are sorted by name, without an
    /// empty value, are found without allocating.
    ///
    /// `None` when the series is new and there are as many as there may be; this counts as a refusal.
    pub fn series(&mut self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
        let tidy =
            labels.is_sorted_by(|a, b| a.0 < b.0) && labels.iter().all(|label| !label.1.is_empty());
        if tidy {
            return self.tidy_series(labels);
        }
        let labels = vigie_promql::Labels::new(labels.iter().copied());
        let labels: Vec<_> = labels.iter().collect();
        self.tidy_series(&labels)
    }

    /// Adds the sample of a series.
    pub fn sample(&mut self, series: SeriesRef, value: f64) {
        self.samples.push((series, value));
    }

    /// Ends the scrape: readers see all of it from now on. Where the history is on disk this waits for it to be
    /// written, but not more than a second.
    pub fn commit(mut self) -> Committed {
        self.append();
        self.write();
        self.history.seal(&self.writer);
        self.committed
    }

    fn tidy_series(&mut self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
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

    /// Appends the samples, of which those that were refused go, and ends what is missing.
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
            // Where it is refused there is nothing to end: the series has later samples.
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

    /// Hands the scrape to the disk.
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
