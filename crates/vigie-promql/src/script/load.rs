//! Loading of samples, with what Prometheus' storage changes of native histograms.

use std::{collections::BTreeMap, sync::Arc};

use super::{notation::Point, parse::Load};
use crate::{
    Labels, METRIC_NAME, Sample,
    histogram::{Buckets, Histogram, Layout, ResetHint},
    labels::BUCKET,
    storage::MemoryStorage,
    value::HistogramSample,
};

/// Loads the samples, and returns the labels of the series with native histograms.
pub(super) fn load(load: &Load, storage: &mut MemoryStorage) -> Vec<Labels> {
    let mut native = Vec::new();
    for (labels, points) in &load.series {
        let mut before: Option<Arc<Histogram>> = None;
        for (at, point) in points.iter().enumerate() {
            let time = load.step * at as i64;
            match point {
                Point::Omitted => {}
                Point::Value(value) => {
                    storage.insert(
                        labels,
                        Sample {
                            time,
                            value: *value,
                        },
                    );
                    before = None;
                }
                Point::Histogram(written) => {
                    let histogram = Arc::new(stored(&written.histogram, before.as_deref()));
                    before = Some(Arc::clone(&histogram));
                    storage.insert_histogram(labels, HistogramSample { time, histogram });
                    if native.last() != Some(labels) {
                        native.push(labels.clone());
                    }
                }
            }
        }
    }
    if load.also_native {
        native.extend(load_as_native(load, storage));
    }
    native
}

/// A histogram as the storage returns it: the hint is known only within a chunk, which a counter reset and a change of
/// the bounds end.
fn stored(histogram: &Histogram, before: Option<&Histogram>) -> Histogram {
    let mut stored = histogram.clone();
    if histogram.hint == ResetHint::Gauge {
        return stored;
    }
    stored.hint = ResetHint::Unknown;
    let continues = before.is_some_and(|before| {
        before.hint != ResetHint::Gauge
            && histogram.hint != ResetHint::Reset
            && before.layout == histogram.layout
            && !stored.is_reset_after(before)
    });
    if continues {
        stored.hint = ResetHint::NotReset;
    }
    stored
}

/// A classic histogram at one time: the counts by bound, the count and the sum.
#[derive(Default)]
struct Classic {
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Loads each classic histogram as a native one with custom bounds too; returns their labels.
fn load_as_native(load: &Load, storage: &mut MemoryStorage) -> Vec<Labels> {
    let mut all: BTreeMap<Labels, BTreeMap<i64, Classic>> = BTreeMap::new();
    for (labels, points) in &load.series {
        let name = labels.metric();
        let suffix = ["_bucket", "_count", "_sum"];
        let Some(suffix) = suffix.into_iter().find(|suffix| name.ends_with(suffix)) else {
            continue;
        };
        let base = labels.with(METRIC_NAME, &name[..name.len() - suffix.len()]);
        let times = all.entry(base.with(BUCKET, "")).or_default();
        for (at, point) in points.iter().enumerate() {
            let Point::Value(value) = *point else {
                continue;
            };
            let classic = times.entry(load.step * at as i64).or_default();
            match suffix {
                "_count" => classic.count = Some(value),
                "_sum" => classic.sum = value,
                _ => {
                    if let Ok(bound) = labels.get(BUCKET).parse() {
                        classic.buckets.push((bound, value));
                    }
                }
            }
        }
    }
    for (labels, times) in &all {
        let mut before: Option<Arc<Histogram>> = None;
        for (&time, classic) in times {
            let histogram = Arc::new(stored(&classic.native(), before.as_deref()));
            before = Some(Arc::clone(&histogram));
            storage.insert_histogram(labels, HistogramSample { time, histogram });
        }
    }
    all.into_keys().collect()
}

impl Classic {
    fn native(&self) -> Histogram {
        let mut buckets = self.buckets.clone();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets.dedup_by(|later, earlier| later.0 == earlier.0);
        let highest = buckets.last().map_or(0.0, |(_, count)| *count);
        let count = self.count.unwrap_or(highest);
        let bounds = buckets.iter().map(|(bound, _)| *bound);
        let bounds: Arc<[f64]> = bounds.filter(|bound| bound.is_finite()).collect();
        let mut counts: Vec<f64> = buckets.iter().map(|(_, count)| *count).collect();
        counts.resize(bounds.len() + 1, count);
        let mut before = 0.0;
        let counts = counts.into_iter().map(|count| {
            let inside = count - before;
            before = count;
            inside
        });
        let positive = Buckets::new((0..).zip(counts));
        Histogram {
            count,
            sum: self.sum,
            positive,
            ..Histogram::empty(Layout::Custom(bounds))
        }
        .compacted()
    }
}
