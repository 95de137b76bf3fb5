//! Evaluation of a syntax tree over a [`Storage`].
//!
//! Every expression is evaluated once for all steps of a query: a selector reads each series once and makes a column of
//! it; operators, functions and aggregations work on columns. Everything that depends on labels only (groups, matches,
//! names) is computed once per series, not at each step.

mod aggregate;
mod binary;
mod call;
pub(crate) mod column;
mod error;
mod fold;
mod hints;
mod histogram;
mod info;
mod invariant;
mod labelling;
mod limit;
mod matching;
mod meter;
mod mixed;
mod names;
mod native;
mod operate;
mod pick;
mod ranged;
mod ranges;
mod result;
mod selector;
mod shift;
mod signature;
mod smoothed;
mod sort;
mod stream;
mod threads;
pub(crate) mod window;

use std::{cell::Cell, time::Duration};

use column::{Column, Evaluated, Series, Steps};
pub use error::EvalError;
use meter::{Cost, Meter};
pub use names::NameRemoval;

use crate::{annotations::Annotations, storage::Storage, syntax::Expr, value::Outcome};

/// Limits of a query. A query that exceeds one fails; there are no partial results.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Samples held at a time: those read from the storage and those computed, over all steps.
    pub samples: usize,
    /// Memory held at a time, in bytes: samples, series, and labels allocated by the query. Excludes labels shared with
    /// the storage, and the syntax tree, for which see [`tree_bytes`](crate::syntax::tree_bytes).
    pub bytes: usize,
    /// Samples that all selectors read, as [`Storage::estimate`] says before they are read.
    pub read: usize,
    /// Steps of a range query.
    pub points: usize,
    /// Series in the result.
    pub series: usize,
}

impl Default for Limits {
    /// 50 million samples and 11,000 points, as in Prometheus, 100,000 series, and 1 GiB. No limit of samples read.
    fn default() -> Self {
        Self {
            samples: 50_000_000,
            bytes: 1 << 30,
            read: usize::MAX,
            points: 11_000,
            series: 100_000,
        }
    }
}

/// The evaluator with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// The lookback: the maximum age of a sample that an instant selector returns, unless a stale marker follows it.
    pub lookback: Duration,
    /// The step of subqueries that do not give one.
    pub subquery_step: Duration,
    /// When metric names are removed.
    pub name_removal: NameRemoval,
    /// The limits of a query.
    pub limits: Limits,
    /// How many threads evaluate an aggregation of many samples: the calling one, and others that are started for it. 1, the
    /// default, starts none.
    pub threads: usize,
}

impl Default for Engine {
    /// The defaults of Prometheus: a lookback of 5 minutes, a subquery step of 1 minute, immediate name removal.
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(300),
            subquery_step: Duration::from_secs(60),
            name_removal: NameRemoval::Immediate,
            limits: Limits::default(),
            threads: 1,
        }
    }
}

/// The steps of a range query, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first step.
    pub start: i64,
    /// The upper bound of the steps, inclusive.
    pub end: i64,
    /// The distance between steps, greater than 0.
    pub step: i64,
}

impl Engine {
    /// Evaluates a query at one time, in milliseconds since the epoch.
    ///
    /// `interrupted` is called regularly, at least once per about a thousand samples; the evaluation stops when it
    /// returns `true`. Once it has returned `true` it must not return `false` again.
    ///
    /// # Errors
    ///
    /// See [`EvalError`].
    pub fn instant(
        &self,
        storage: &dyn Storage,
        query: &Expr,
        time: i64,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Outcome, EvalError> {
        let times = TimeRange {
            start: time,
            end: time,
            step: 1,
        };
        let queried = Cell::new(0);
        let mut evaluation = Evaluation::new(self, storage, times, true, interrupted, &queried);
        let value = evaluation.instant_value(query)?;
        Ok(evaluation.outcome(value))
    }

    /// Evaluates a query at every step of a range.
    ///
    /// # Errors
    ///
    /// See [`EvalError`].
    pub fn range(
        &self,
        storage: &dyn Storage,
        query: &Expr,
        times: TimeRange,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Outcome, EvalError> {
        let queried = Cell::new(0);
        let mut evaluation = Evaluation::new(self, storage, times, false, interrupted, &queried);
        let value = evaluation.range_value(query)?;
        Ok(evaluation.outcome(value))
    }
}

/// The evaluation of one query.
struct Evaluation<'a> {
    engine: &'a Engine,
    storage: &'a dyn Storage,
    /// The steps of the top-level query; subqueries have their own.
    times: TimeRange,
    instant: bool,
    meter: Meter<'a>,
    /// See [`Outcome::queried`].
    queried: &'a Cell<u64>,
    annotations: Annotations,
    /// The samples read, as the storage estimates; counted only if they are limited.
    read: usize,
    /// Whether only the counts and the sums of native histograms are used; see [`hints`].
    figures_only: bool,
}

impl<'a> Evaluation<'a> {
    fn new(
        engine: &'a Engine,
        storage: &'a dyn Storage,
        times: TimeRange,
        instant: bool,
        interrupted: &'a dyn Fn() -> bool,
        queried: &'a Cell<u64>,
    ) -> Self {
        Self {
            engine,
            storage,
            times,
            instant,
            meter: Meter::new(engine.limits, interrupted),
            queried,
            annotations: Annotations::default(),
            read: 0,
            figures_only: false,
        }
    }

    /// Evaluates an expression at each of `steps`. Afterwards only the result is held.
    fn eval(&mut self, expr: &Expr, steps: Steps) -> Result<Evaluated, EvalError> {
        self.meter.check()?;
        let before = self.meter.held();
        let result = if steps.count > 1 && invariant::is_invariant(expr) {
            let before = self.queried.get();
            let once = self.eval_node(expr, steps.first_only())?;
            let more = (self.queried.get() - before).saturating_mul(steps.count as u64 - 1);
            self.add_queried(more);
            self.repeat(once, steps.count)?
        } else {
            self.eval_node(expr, steps)?
        };
        self.meter.release_except(before, &result)?;
        Ok(result)
    }

    fn eval_node(&mut self, expr: &Expr, steps: Steps) -> Result<Evaluated, EvalError> {
        match expr {
            Expr::Number(number) => self.constant(number.value, steps),
            Expr::Text(text) => {
                self.meter.charge(Cost::bytes(text.value.len()))?;
                Ok(Evaluated::Text(text.value.clone()))
            }
            Expr::Paren(paren) => self.eval_node(&paren.expr, steps),
            Expr::Selector(selector) => self.selector(selector, steps),
            Expr::Unary(unary) => self.unary(unary, steps),
            Expr::Binary(binary) => self.binary(binary, steps),
            Expr::Call(call) => self.call(call, steps),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, steps),
            Expr::Range(_) | Expr::Subquery(_) => Err(EvalError::execution(
                expr.span(),
                "a range vector is only allowed as the argument of a function",
            )),
        }
    }

    fn constant(&mut self, value: f64, steps: Steps) -> Result<Evaluated, EvalError> {
        self.meter.charge(Cost::column(steps.count))?;
        Ok(Evaluated::Scalar(vec![value; steps.count]))
    }

    /// Evaluates an expression that the parser has checked to be a scalar.
    fn scalar(&mut self, expr: &Expr, steps: Steps) -> Result<Column, EvalError> {
        match self.eval(expr, steps)? {
            Evaluated::Scalar(column) => Ok(column),
            _ => Err(EvalError::execution(expr.span(), "this is not a scalar")),
        }
    }

    /// Evaluates something of whose native histograms only the counts and the sums are used, if `figures_only`.
    fn with_figures<T>(
        &mut self,
        figures_only: bool,
        evaluate: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        let outer = std::mem::replace(&mut self.figures_only, figures_only);
        let result = evaluate(self);
        self.figures_only = outer;
        result
    }

    /// Evaluates an expression that the parser has checked to be an instant vector.
    fn vector(&mut self, expr: &Expr, steps: Steps) -> Result<Vec<Series>, EvalError> {
        match self.eval(expr, steps)? {
            Evaluated::Vector(series) => Ok(series),
            _ => Err(EvalError::execution(
                expr.span(),
                "this is not an instant vector",
            )),
        }
    }

    /// Repeats a result that is the same at every step.
    fn repeat(&mut self, once: Evaluated, count: usize) -> Result<Evaluated, EvalError> {
        match once {
            Evaluated::Scalar(column) => {
                self.meter.charge(Cost::column(count))?;
                Ok(Evaluated::Scalar(vec![column[0]; count]))
            }
            Evaluated::Vector(mut series) => {
                self.meter.charge(Cost::column(count).times(series.len()))?;
                for one in &mut series {
                    self.meter.work(count)?;
                    one.values.resize(count, one.values[0]);
                    if let Some(histogram) = one.histograms.get(0) {
                        let more = Cost::histogram(histogram).times(count);
                        self.meter.charge(more)?;
                        one.histograms.repeat(count);
                    }
                }
                Ok(Evaluated::Vector(series))
            }
            text @ Evaluated::Text(_) => Ok(text),
        }
    }

    fn add_queried(&self, samples: u64) {
        self.queried.set(self.queried.get().saturating_add(samples));
    }

    fn lookback(&self) -> i64 {
        millis(self.engine.lookback)
    }

    fn outcome(self, value: crate::value::Value) -> Outcome {
        Outcome {
            value,
            annotations: self.annotations,
            samples: self.meter.total(),
            peak_samples: self.meter.peak(),
            bytes: self.meter.held_bytes(),
            queried: self.queried.get(),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
