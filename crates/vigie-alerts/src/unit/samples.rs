//! Samples in memory, which rules read and write.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use vigie_promql::storage::{MemoryStorage, Selection, Storage as _};
use vigie_promql::{Engine, Expr, Labels, Matcher, Sample, Value};

use crate::engine::{self, Context, Time};

/// Samples in memory. As in Prometheus, a sample may neither precede nor replace the latest one of its series.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    engine: Engine,
    storage: MemoryStorage,
    latest: HashMap<Labels, Sample>,
}

impl Samples {
    pub(crate) fn new(subquery_step: Duration) -> Self {
        let engine = Engine {
            subquery_step,
            ..Engine::default()
        };
        Self {
            engine,
            ..Self::default()
        }
    }

    /// Adds a sample.
    pub(crate) fn insert(&mut self, labels: &Labels, sample: Sample) -> Result<(), String> {
        if let Some(latest) = self.latest.get_mut(labels) {
            if sample.time < latest.time {
                return Err("out of order sample".to_owned());
            }
            if sample.time == latest.time && sample.value.to_bits() != latest.value.to_bits() {
                return Err("duplicate sample for timestamp".to_owned());
            }
            *latest = sample;
        } else {
            self.latest.insert(labels.clone(), sample);
        }
        self.storage.insert(labels, sample);
        Ok(())
    }
}

impl Context for Samples {
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String> {
        let outcome = self.engine.instant(&self.storage, expr, at, &|| false);
        outcome
            .map(|outcome| outcome.value)
            .map_err(|error| error.to_string())
    }

    fn write(&mut self, samples: &[engine::Sample]) -> Result<(), String> {
        let mut result = Ok(());
        for sample in samples {
            let (time, value) = (sample.time, sample.value);
            let inserted = self.insert(&sample.labels, Sample { time, value });
            result = result.and(inserted);
        }
        result
    }

    fn unreadable_since(&self, _matchers: &[Matcher], _at: Time) -> Option<Time> {
        None
    }

    fn has_series(&self, selection: &Selection<'_>) -> bool {
        let mut found = false;
        let selected = self.storage.select(selection, &mut |_, samples| {
            found = !samples.is_empty();
            if found {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        selected.is_ok() && found
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}
