//! The history, as the rules read and write it.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use vigie_alerts::engine::{self, Time};
use vigie_history::History;
use vigie_promql::storage::Selection;
use vigie_promql::value::is_stale;
use vigie_promql::{Engine, EvalError, Expr, METRIC_NAME, Matcher, Sample, Storage as _, Value};

use super::room::Room;
use super::sources::{Recorded, Source};
use crate::history::JOB;

/// How far back the beginning of an outage is looked for, in milliseconds.
const LONGEST_OUTAGE: Time = 24 * 3_600_000;

/// The data that all evaluations share.
pub(super) struct Settings {
    /// The evaluator, with the limits of an evaluation.
    pub(super) engine: Engine,
    /// The label `instance` of this process in the history.
    pub(super) instance: String,
    /// The sources that are configured.
    pub(super) configured: Vec<Source>,
    /// When this process started.
    pub(super) started: Time,
    /// How long after an outage of a source all its values have been read again, in milliseconds.
    pub(super) settled: Time,
}

/// One evaluation of a group.
pub(super) struct Context {
    settings: Arc<Settings>,
    recorded: Arc<Recorded>,
    history: History,
    /// Since when each unreadable source cannot be read.
    unreadable: HashMap<Source, Time>,
    room: Room,
    /// The places that were taken in it.
    taken: Cell<usize>,
    started: Instant,
    deadline: Instant,
}

impl Context {
    /// An evaluation at `at`, which ends within `timeout`.
    pub(super) fn new(
        settings: &Arc<Settings>,
        recorded: &Arc<Recorded>,
        history: &History,
        at: Time,
        timeout: Duration,
        room: &Room,
    ) -> Self {
        let started = Instant::now();
        let mut context = Self {
            settings: Arc::clone(settings),
            recorded: Arc::clone(recorded),
            history: history.clone(),
            unreadable: HashMap::new(),
            room: room.clone(),
            taken: Cell::new(0),
            started,
            deadline: started + timeout,
        };
        let configured = settings.configured.iter();
        let unreadable =
            configured.filter_map(|source| Some((*source, context.lost_since(source, at)?)));
        context.unreadable = unreadable.collect();
        context
    }

    /// Gives back the places that were taken, and counts `after` alerts of the group in place of `before`.
    pub(super) fn count(&self, before: usize, after: usize) {
        self.room.replace(before + self.taken.take(), after);
    }

    /// The start of the outage of a source; `None` if it could be read at the last scrape.
    fn lost_since(&self, source: &str, at: Time) -> Option<Time> {
        let matchers = [
            Matcher::equal(METRIC_NAME, vigie_metrics::own::SOURCE_UP.meta().name),
            Matcher::equal("instance", &self.settings.instance),
            Matcher::equal("job", JOB),
            Matcher::equal("source", source),
        ];
        let lookback = i64::try_from(self.settings.engine.lookback.as_millis());
        let lookback = lookback.unwrap_or(i64::MAX);
        let selection = Selection {
            matchers: &matchers,
            start: at.saturating_sub(LONGEST_OUTAGE),
            end: at,
        };
        let mut outage = Some(self.settings.started.min(at));
        let read = self.history.select(&selection, &mut |_, samples| {
            let is_recent = |last: &Sample| at.saturating_sub(last.time) <= lookback;
            if samples.last().is_some_and(is_recent) {
                outage = self.outage(samples, at);
            }
            ControlFlow::Break(())
        });
        match read {
            Ok(()) => outage,
            Err(_) => Some(at),
        }
    }

    /// The start of the outage, by the samples of `vigie_source_up`. After an outage and after a start some values are read
    /// later than others, so an outage lasts until all of them were.
    fn outage(&self, samples: &[Sample], at: Time) -> Option<Time> {
        let is_up = |sample: &&Sample| sample.value == 1.0;
        let up = samples.iter().rev().take_while(is_up).count();
        let (before, up) = samples.split_at(samples.len() - up);
        let down = before.iter().rev().take_while(|sample| !is_up(sample));
        let settled = self.settings.settled;
        let is_settled = |since: Time| at.saturating_sub(since) >= settled;
        match (down.last(), up.first()) {
            (_, Some(first)) if is_settled(first.time.max(self.settings.started)) => None,
            (Some(down), _) => Some(down.time),
            (None, _) => Some(self.settings.started.min(at)),
        }
    }
}

impl engine::Context for Context {
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String> {
        let is_late = || Instant::now() >= self.deadline;
        let outcome = self
            .settings
            .engine
            .instant(&self.history, expr, at, &is_late);
        match outcome {
            Ok(outcome) => Ok(outcome.value),
            Err(EvalError::Interrupted) => Err(format!(
                "the evaluation of the group took longer than {:?}",
                self.deadline.duration_since(self.started)
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    fn write(&mut self, samples: &[engine::Sample]) -> Result<(), String> {
        let mut rest = samples;
        let mut refused = 0;
        // The samples of a rule have few different times.
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|one| one.time == first.time).count();
            let (same, later) = rest.split_at(count);
            refused += append(&self.history, first.time, same);
            rest = later;
        }
        match refused {
            0 => Ok(()),
            refused => Err(format!(
                "the history refused {refused} of {} samples: their series has a sample at this time, or history.max_series is reached",
                samples.len()
            )),
        }
    }

    fn unreadable_since(&self, matchers: &[Matcher], _at: Time) -> Option<Time> {
        if self.unreadable.is_empty() {
            return None;
        }
        let sources = self.recorded.selected(matchers);
        let lost = sources
            .iter()
            .filter_map(|source| self.unreadable.get(source));
        lost.min().copied()
    }

    fn has_series(&self, selection: &Selection<'_>) -> bool {
        let mut found = false;
        let read = self.history.select(selection, &mut |_, samples| {
            found = samples.iter().any(|sample| !is_stale(sample.value));
            match found {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        read.is_ok() && found
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn admit(&self, of_rule: usize) -> bool {
        let admitted = self.room.take(of_rule);
        self.taken.set(self.taken.get() + usize::from(admitted));
        admitted
    }
}

/// Appends samples with the same time, and returns how many were refused.
fn append(history: &History, time: Time, samples: &[engine::Sample]) -> usize {
    // With an appender that is used again, every series missing in a later scrape would end.
    let mut appender = history.appender();
    let mut scrape = appender.scrape(time);
    for sample in samples {
        let labels: Vec<_> = sample.labels.iter().collect();
        if let Some(series) = scrape.series(&labels) {
            scrape.sample(series, sample.value);
        }
    }
    let kept = scrape.commit().samples;
    samples
        .len()
        .saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX))
}
