//! The input series, which are loaded as time passes.

use std::collections::{BTreeSet, HashMap};

use vigie_promql::script::notation::Point;
use vigie_promql::{Labels, Sample};

use super::file::Test;
use super::samples::Samples;
use crate::engine::{Time, millis};

/// The series of a test, with the points that are not yet loaded.
pub(super) struct Input<'a> {
    start: Time,
    interval: i64,
    /// Labels, and the points that are not yet loaded with the index of the first.
    series: Vec<(&'a Labels, &'a [Point], usize)>,
}

impl<'a> Input<'a> {
    pub(super) fn new(test: &'a Test) -> Self {
        // Of a series that is given twice, the last one counts.
        let last: HashMap<_, _> = test
            .series
            .iter()
            .enumerate()
            .map(|(at, (labels, _))| (labels, at))
            .collect();
        let last: BTreeSet<_> = last.into_values().collect();
        let series = last.into_iter().map(|at| {
            let (labels, points) = &test.series[at];
            (labels, &**points, 0)
        });
        Self {
            start: test.start,
            interval: millis(test.interval),
            series: series.collect(),
        }
    }

    /// Loads the points up to `since` the start of the test.
    pub(super) fn load(&mut self, since: i64, samples: &mut Samples) -> Result<(), String> {
        for (labels, points, next) in &mut self.series {
            while let Some((point, rest)) = points.split_first() {
                let offset = (*next as i64).saturating_mul(self.interval);
                if offset > since {
                    break;
                }
                if let Point::Value(value) = *point {
                    let time = self.start.saturating_add(offset);
                    let inserted = samples.insert(labels, Sample { time, value });
                    inserted.map_err(|error| format!("{labels}: {error}"))?;
                }
                (*points, *next) = (rest, *next + 1);
            }
        }
        Ok(())
    }
}
