//! The read path.

use std::ops::ControlFlow;
use std::sync::Arc;

use vigie_promql::storage::{ConcurrentStorage, Selection, StorageError};
use vigie_promql::value::Samples;
use vigie_promql::{Labels, Matcher, Sample, Storage};

use crate::History;
use crate::memory::{Block, SeriesRef};

/// How many series are copied from the head before the lock is released for the writer.
const BATCH: usize = 128;
/// Samples of a series in an hour; buffers grow for more.
const USUAL: usize = 250;

/// After so many series without samples the reader is called all the same, so that a query that is interrupted stops.
const SILENCE: usize = 256;

impl Storage for History {
    /// Samples that are appended during the query are not included.
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.select_of(selection, &|_| true, each)
    }

    fn concurrent(&self) -> Option<&dyn ConcurrentStorage> {
        Some(self)
    }

    /// The number of series, times the number of samples of the first of them.
    fn estimate(&self, selection: &Selection<'_>) -> usize {
        let memory = self.read();
        let found = memory.table.select(selection.matchers);
        drop(memory);
        if found.len() <= FEW {
            return 0;
        }
        let batch = self.batch(&found[..1], selection.start, selection.end);
        let mut samples = batch.head;
        if let [(slot, ..)] = batch.series[..] {
            for block in &batch.blocks {
                // Damage is reported when the series is read.
                let _ = block.read(slot, &mut samples);
            }
        }
        samples.len().saturating_mul(found.len())
    }
}

impl ConcurrentStorage for History {
    fn newest(&self) -> i64 {
        self.read().newest.unwrap_or(i64::MAX)
    }

    /// A series stays in its part as long as it exists. Neighbours, which are often of one kind, are distributed.
    fn select_part(
        &self,
        selection: &Selection<'_>,
        (part, parts): (usize, usize),
        each: &mut dyn FnMut(&Labels, Samples<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let wanted = |slot: u32| slot as usize / NEIGHBOURS % parts == part;
        self.select_of(selection, &wanted, &mut |labels, floats| {
            let histograms = &[];
            each(labels, Samples { floats, histograms })
        })
    }
}

/// So many neighbouring slots are in the same part.
const NEIGHBOURS: usize = 64;

/// With so few series, finding them is most of the work of an estimate, and their number says enough.
const FEW: usize = 8;

/// A part of the selected series, and the location of their samples.
struct Batch {
    /// Slots, labels, and the number of samples in `head`.
    series: Vec<(u32, Labels, usize)>,
    head: Vec<Sample>,
    blocks: Vec<Arc<Block>>,
}

impl History {
    /// The series that pass all matchers and have a sample from `start` to `end`, in milliseconds, inclusive.
    #[must_use]
    pub fn series(&self, matchers: &[Matcher], start: i64, end: i64) -> Vec<Labels> {
        if start > end {
            return Vec::new();
        }
        let memory = self.read();
        let selected = memory.table.select(matchers).into_iter();
        let series = selected.filter_map(|series| {
            let kept = memory.table.get(series)?;
            let in_head = kept.head.has(start, end);
            Some((in_head, series.slot, kept.labels.clone()))
        });
        let series: Vec<_> = series.collect();
        let blocks = memory.overlapping(start, end);
        // The blocks can be searched without blocking the writer.
        drop(memory);
        let has_samples = |&(in_head, slot, _): &(bool, u32, Labels)| {
            in_head || blocks.iter().any(|block| block.has(slot, start, end))
        };
        let series = series.into_iter().filter(has_samples);
        series.map(|(.., labels)| labels).collect()
    }

    /// As [`select`](Storage::select), of the slots that `wanted` accepts.
    fn select_of(
        &self,
        selection: &Selection<'_>,
        wanted: &dyn Fn(u32) -> bool,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let (found, start, end) = {
            let memory = self.read();
            let Some(newest) = memory.newest else {
                return Ok(());
            };
            let mut found = memory.table.select(selection.matchers);
            found.retain(|series| wanted(series.slot));
            (found, selection.start, selection.end.min(newest))
        };
        let mut samples = Vec::new();
        let mut skipped = 0;
        for batch in found.chunks(BATCH) {
            let batch = self.batch(batch, start, end);
            samples.reserve(USUAL * (batch.blocks.len() + 1));
            let mut head = &batch.head[..];
            for (slot, labels, length) in batch.series {
                samples.clear();
                for block in &batch.blocks {
                    let read = block.read(slot, &mut samples);
                    read.map_err(|_| format!("the samples of {labels} are damaged"))?;
                }
                let (own, rest) = head.split_at(length);
                head = rest;
                samples.extend_from_slice(own);
                let from = samples.partition_point(|sample| sample.time < start);
                let to = samples.partition_point(|sample| sample.time <= end);
                let selected = &samples[from.min(to)..to];
                skipped = match selected.is_empty() {
                    true => skipped + 1,
                    false => 0,
                };
                let tell = !selected.is_empty() || skipped % SILENCE == 0;
                if tell && each(&labels, selected).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn batch(&self, selected: &[SeriesRef], start: i64, end: i64) -> Batch {
        let memory = self.read();
        let mut batch = Batch {
            series: Vec::with_capacity(selected.len()),
            head: Vec::new(),
            blocks: memory.overlapping(start, end),
        };
        for &series in selected {
            if let Some(kept) = memory.table.get(series) {
                let before = batch.head.len();
                kept.head.read(start, end, &mut batch.head);
                let length = batch.head.len() - before;
                batch
                    .series
                    .push((series.slot, kept.labels.clone(), length));
            }
        }
        batch
    }
}
