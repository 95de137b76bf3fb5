//! Aggregations whose series are read, evaluated and folded by several threads.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use super::{
    Evaluation,
    column::Steps,
    error::EvalError,
    fold::Fold,
    meter::Cost,
    signature::Signatures,
    stream::{Group, range_of},
};
use crate::{
    annotations::Annotations,
    labels::Labels,
    matcher::Matcher,
    storage::{ConcurrentStorage, Selection, Storage, StorageError},
    syntax::{Aggregate, Expr},
    value::{Sample, Samples},
};

/// Fewer samples are folded by one thread: starting another takes about as long as reading so many.
const WORTHWHILE: usize = 100_000;
/// The time between two checks of an interruption while the other threads are waited for.
const PATIENCE: Duration = Duration::from_millis(1);

/// The result of a thread.
struct Found<F> {
    groups: Option<Vec<Group<F>>>,
    queried: u64,
    samples: usize,
    annotations: Annotations,
}

/// One part of the series of a storage.
struct Part<'a> {
    storage: &'a dyn ConcurrentStorage,
    /// The number of the part and how many there are.
    part: (usize, usize),
    /// The last time that is read.
    end: i64,
}

impl Storage for Part<'_> {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.select_all(selection, &mut |labels, samples| {
            each(labels, samples.floats)
        })
    }

    fn select_all(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, Samples<'_>) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let selection = Selection {
            end: selection.end.min(self.end),
            ..*selection
        };
        self.storage.select_part(&selection, self.part, each)
    }
}

impl Evaluation<'_> {
    /// The groups of a streamable operand, folded by all threads of the engine; `None` if one thread does it as well.
    pub(super) fn shared_out<F: Fold>(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Option<Vec<Group<F>>>, EvalError> {
        let threads = self.engine.threads;
        if threads < 2 {
            return Ok(None);
        }
        let storage = self.storage;
        let Some(storage) = storage.concurrent() else {
            return Ok(None);
        };
        let Some(selected) = self.selected(aggregate.expr.unwrap_parens(), steps)? else {
            return Ok(None);
        };
        let selection = Selection {
            matchers: &selected.matchers,
            start: selected.start,
            end: selected.end,
        };
        if storage.estimate(&selection) < WORTHWHILE {
            return Ok(None);
        }
        let mut engine = *self.engine;
        engine.threads = 1;
        engine.limits = self.meter.share(threads);
        let stop = AtomicBool::new(false);
        let newest = storage.newest();
        let (times, instant, figures_only) = (self.times, self.instant, self.figures_only);
        let fold = |part: usize, interrupted: &dyn Fn() -> bool| {
            let storage = Part {
                storage,
                part: (part, threads),
                end: newest,
            };
            let queried = Cell::new(0);
            let mut evaluation =
                Evaluation::new(&engine, &storage, times, instant, interrupted, &queried);
            evaluation.figures_only = figures_only;
            let groups = evaluation.folded_series::<F>(aggregate, steps)?;
            Ok(Found {
                groups,
                queried: queried.get(),
                samples: evaluation.meter.total(),
                annotations: evaluation.annotations,
            })
        };
        let interrupted = self.meter.interrupted();
        let stopped = || {
            let stops = stop.load(Relaxed) || interrupted();
            if stops {
                stop.store(true, Relaxed);
            }
            stops
        };
        let caller = thread::current();
        let found: Vec<Result<Found<F>, EvalError>> = thread::scope(|scope| {
            let (fold, stop, caller) = (&fold, &stop, &caller);
            let others = (1..threads).map(|part| {
                scope.spawn(move || {
                    let found = fold(part, &|| stop.load(Relaxed));
                    if found.is_err() {
                        stop.store(true, Relaxed);
                    }
                    caller.unpark();
                    found
                })
            });
            let others: Vec<_> = others.collect();
            let own = fold(0, &stopped);
            if own.is_err() {
                stop.store(true, Relaxed);
            }
            while others.iter().any(|other| !other.is_finished()) {
                stopped();
                thread::park_timeout(PATIENCE);
            }
            let others = others.into_iter().map(|other| match other.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            std::iter::once(own).chain(others).collect()
        });
        self.meter.check()?;
        self.put_together(found)
    }

    /// The groups of all parts; `None` if a part failed, for whatever reason: one thread then finds the error, or no error,
    /// with all of the memory.
    fn put_together<F: Fold>(
        &mut self,
        found: Vec<Result<Found<F>, EvalError>>,
    ) -> Result<Option<Vec<Group<F>>>, EvalError> {
        let found: Result<Vec<Found<F>>, EvalError> = found.into_iter().collect();
        let Ok(found) = found else {
            return Ok(None);
        };
        if found.iter().any(|one| one.groups.is_none()) {
            return Ok(None);
        }
        let mut label_sets = Signatures::new(|_: &str| true);
        let mut all: Vec<Group<F>> = Vec::new();
        for one in found {
            self.add_queried(one.queried);
            self.meter.add_total(one.samples);
            self.annotations.extend(one.annotations);
            for group in one.groups.into_iter().flatten() {
                self.meter.work(group.series.label_work())?;
                let cost = Cost::series(&group.series).and(group.members.cost());
                self.meter.charge(cost)?;
                let number = label_sets.number_of(group.series.labels(), group.series.drops_name);
                match all.get_mut(number) {
                    None => all.push(group),
                    Some(known) => {
                        known.members.append(group.members, &self.meter)?;
                        self.meter.release(cost);
                    }
                }
            }
        }
        Ok(Some(all))
    }

    /// The selection of a streamable expression.
    fn selected(&self, operand: &Expr, steps: Steps) -> Result<Option<Selected>, EvalError> {
        let arg = match operand {
            Expr::Selector(selector) => {
                let references = self.references(&selector.shift, steps)?;
                return Ok(Some(Selected {
                    matchers: selector.all_matchers().collect(),
                    start: references.first.saturating_sub(self.lookback()),
                    end: references.last(),
                }));
            }
            Expr::Call(call) => range_of(call),
            _ => None,
        };
        let Some(arg @ Expr::Range(range)) = arg else {
            return Ok(None);
        };
        let (start, end) = self.windows(arg, steps)?.bounds();
        Ok(Some(Selected {
            matchers: range.selector.all_matchers().collect(),
            start,
            end,
        }))
    }
}

/// An owned [`Selection`].
struct Selected {
    matchers: Vec<Matcher>,
    start: i64,
    end: i64,
}
