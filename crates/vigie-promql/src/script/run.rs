//! Execution of scripts.

use std::sync::Arc;

use super::{
    case::{Class, Failure, Report, Verdict},
    compare::compare,
    held::{depends_on_range, fixed_at},
    load::load,
    notation::Point,
    parse::{Command, Eval, ExpectationKind, Expected, When, commands},
};
use crate::{
    Engine, Expr, Features, Labels, Matcher, NameRemoval, Outcome, TimeRange, Value,
    annotations::Severity,
    parse, parse_with,
    storage::MemoryStorage,
    syntax::{Left, Operation, ParseError, ParseErrorKind, Selector, Visitor, walk},
    value::VectorSample,
};

const MINUTE: i64 = 60_000;

/// Runs a script as Prometheus' own test runner does, with delayed name removal and all feature flags.
#[must_use]
pub fn run(text: &str) -> Report {
    let engine = Engine {
        name_removal: NameRemoval::Delayed,
        ..Engine::default()
    };
    run_with(&engine, text)
}

/// Runs a script with the given engine. Lines that cannot be read are reported and skipped.
#[must_use]
pub fn run_with(engine: &Engine, text: &str) -> Report {
    let mut runner = Runner {
        engine: *engine,
        storage: MemoryStorage::new(),
        histograms: Vec::new(),
    };
    let mut report = Report::default();
    for command in commands(text) {
        match command {
            Ok(Command::Clear) => {
                runner.storage.clear();
                runner.histograms.clear();
            }
            Ok(Command::Load(new)) => {
                let native = load(&new, &mut runner.storage);
                runner.histograms.extend(native);
            }
            Ok(Command::Eval(eval)) => report.verdicts.push(runner.eval(&eval)),
            Err(error) => report.errors.push(error),
        }
    }
    report
}

struct Runner {
    engine: Engine,
    storage: MemoryStorage,
    /// The series with native histograms.
    histograms: Vec<Labels>,
}

impl Runner {
    fn eval(&self, eval: &Eval) -> Verdict {
        let parsed = parse_with(&eval.query, Features::Experimental);
        Verdict {
            line: eval.line,
            query: eval.query.clone(),
            class: self.class(eval, &parsed),
            failure: self.check(eval, &parsed).err(),
        }
    }

    fn class(&self, eval: &Eval, parsed: &Result<Expr, ParseError>) -> Class {
        let native = match &eval.expected {
            Expected::Series(series) | Expected::RangeVector { series, .. } => series
                .iter()
                .any(|(_, points)| points.iter().any(is_histogram)),
            _ => false,
        };
        let stable = parse(&eval.query).map_err(|error| error.kind);
        let flagged = matches!(
            stable,
            Err(ParseErrorKind::Experimental | ParseErrorKind::NotSupported)
        );
        let reads = |expr: &Expr| self.reads_histograms(expr) || trims(expr);
        match parsed {
            _ if native => Class::NativeHistograms,
            _ if flagged => Class::FeatureFlagged,
            Ok(expr) if reads(expr) => Class::NativeHistograms,
            _ => Class::Float,
        }
    }

    fn reads_histograms(&self, expr: &Expr) -> bool {
        struct Reads<'r>(&'r [Labels], bool);
        impl<'a> Visitor<'a> for Reads<'_> {
            fn selector(&mut self, selector: &'a Selector, _: &[&'a Expr]) {
                let matchers: Vec<Matcher> = selector.all_matchers().collect();
                let selects = |labels: &Labels| {
                    let mut matchers = matchers.iter();
                    matchers.all(|matcher| matcher.matches(labels.get(matcher.name())))
                };
                self.1 |= self.0.iter().any(selects);
            }
        }
        let mut reads = Reads(&self.histograms, false);
        walk(expr, &mut reads);
        reads.1
    }

    fn check(&self, eval: &Eval, parsed: &Result<Expr, ParseError>) -> Result<(), Failure> {
        let as_failure = |run: &str, reason: String| Failure {
            run: run.to_owned(),
            reason,
        };
        let fails = eval.expects(ExpectationKind::Fail);
        let expr = match parsed {
            Ok(expr) => expr,
            // Prometheus may refuse during evaluation a query that is refused here by the parser, with another text. An
            // unsupported feature is not such a refusal.
            Err(error) if error.kind != ParseErrorKind::NotSupported && fails => return Ok(()),
            Err(error) => return Err(as_failure("parsed", error.to_string())),
        };
        match eval.when {
            When::Range { start, end, step } => {
                let times = TimeRange { start, end, step };
                let outcome = self.engine.range(&self.storage, expr, times, &|| false);
                let outcome = self.judge(eval, outcome, Some(&eval.query));
                let checked = outcome.and_then(|outcome| match outcome {
                    Some(outcome) => compare(eval, &outcome.value),
                    None => Ok(()),
                });
                checked.map_err(|reason| as_failure("as written", reason))
            }
            When::Instant(time) => {
                let first = self.instant(eval, expr, time, Some(&eval.query));
                first.map_err(|reason| as_failure("as written", reason))?;
                let Some(held) = fixed_at(expr, time) else {
                    return Ok(());
                };
                let held = held.to_string();
                let held = parse_with(&held, Features::Experimental)
                    .map_err(|error| as_failure(&held, error.to_string()))?;
                let others = match time {
                    0 => vec![-1000, 0, 1000],
                    time => vec![-10 * time, 0, time / 5, time, 10 * time],
                };
                for other in others {
                    let again = self.instant(eval, &held, other, None);
                    again.map_err(|reason| as_failure(&format!("{held} at {other} ms"), reason))?;
                }
                Ok(())
            }
        }
    }

    /// Evaluates at one time, and as the middle step of a range of three.
    fn instant(
        &self,
        eval: &Eval,
        expr: &Expr,
        time: i64,
        query: Option<&str>,
    ) -> Result<(), String> {
        let outcome = self.engine.instant(&self.storage, expr, time, &|| false);
        let Some(outcome) = self.judge(eval, outcome, query)? else {
            return Ok(());
        };
        compare(eval, &outcome.value)?;
        let excluded = matches!(
            eval.expected,
            Expected::RangeVector { .. } | Expected::Text(_)
        );
        if excluded || eval.ordered || depends_on_range(expr) {
            return Ok(());
        }
        let times = TimeRange {
            start: time - MINUTE,
            end: time + MINUTE,
            step: MINUTE,
        };
        let ranged = self.engine.range(&self.storage, expr, times, &|| false);
        let ranged = ranged.map_err(|error| format!("as a range: {error}"))?;
        let middle = middle(&ranged.value, &outcome.value, time)?;
        compare(eval, &middle).map_err(|reason| format!("as a range: {reason}"))
    }

    /// Checks that failure and annotations are as expected; `None` after an expected failure.
    fn judge(
        &self,
        eval: &Eval,
        outcome: Result<Outcome, crate::EvalError>,
        query: Option<&str>,
    ) -> Result<Option<Outcome>, String> {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.failed_as_expected(eval, &error.to_string())?;
                return Ok(None);
            }
        };
        if eval.expects(ExpectationKind::Fail) {
            return Err(format!("expected a failure, found {:?}", outcome.value));
        }
        for (severity, wanted, unwanted) in [
            (
                Severity::Warning,
                ExpectationKind::Warn,
                ExpectationKind::NoWarn,
            ),
            (
                Severity::Info,
                ExpectationKind::Info,
                ExpectationKind::NoInfo,
            ),
        ] {
            let texts = outcome.annotations.texts(severity, query.unwrap_or(""));
            if eval.expects(unwanted) && !texts.is_empty() {
                return Err(format!("unexpected {texts:?}"));
            }
            // Texts contain positions, which differ in a modified query (`query` is `None`).
            if query.is_some() {
                self.compare_texts(eval, wanted, &texts)?;
            } else if eval.expects(wanted) && texts.is_empty() {
                return Err("expected an annotation, found none".to_owned());
            }
        }
        Ok(Some(outcome))
    }

    fn compare_texts(
        &self,
        eval: &Eval,
        kind: ExpectationKind,
        texts: &[String],
    ) -> Result<(), String> {
        if !eval.expects(kind) {
            return Ok(());
        }
        let expected = |text: &String| eval.of(kind).any(|one| one.text.accepts(text));
        let found =
            |one: &super::parse::Expectation| texts.iter().any(|text| one.text.accepts(text));
        match texts.iter().all(expected) && eval.of(kind).all(found) {
            true => Ok(()),
            false => Err(format!("expected other annotations, found {texts:?}")),
        }
    }

    fn failed_as_expected(&self, eval: &Eval, error: &str) -> Result<(), String> {
        if !eval.expects(ExpectationKind::Fail) {
            return Err(error.to_owned());
        }
        let mut expected = eval.of(ExpectationKind::Fail);
        match expected.all(|one| one.text.accepts(error)) {
            true => Ok(()),
            false => Err(format!("expected another failure, found {error:?}")),
        }
    }
}

/// The middle of three steps as an instant result of the same kind as `like`.
fn middle(ranged: &Value, like: &Value, time: i64) -> Result<Value, String> {
    let Value::Matrix(series) = ranged else {
        return Err("a range query did not return a matrix".to_owned());
    };
    let samples = series.iter().filter_map(|series| {
        let mut floats = series.samples.iter();
        let float = floats.find(|sample| sample.time == time);
        let mut histograms = series.histograms.iter();
        let histogram = histograms.find(|sample| sample.time == time);
        let found = float.is_some() || histogram.is_some();
        found.then(|| VectorSample {
            labels: series.labels.clone(),
            value: float.map_or(0.0, |sample| sample.value),
            histogram: histogram.map(|sample| Arc::clone(&sample.histogram)),
        })
    });
    let samples: Vec<VectorSample> = samples.collect();
    Ok(match (like, samples.first()) {
        (Value::Scalar(_), Some(sample)) => Value::Scalar(sample.value),
        _ => Value::Vector(samples),
    })
}

fn is_histogram(point: &Point) -> bool {
    matches!(point, Point::Histogram(_))
}

/// Whether the query uses `</` or `>/`.
fn trims(expr: &Expr) -> bool {
    struct Trims(bool);
    impl<'a> Visitor<'a> for Trims {
        fn operation(&mut self, _: Left<'a>, operation: &'a Operation, _: &[&'a Expr]) {
            self.0 |= operation.op.is_trim();
        }
    }
    let mut trims = Trims(false);
    walk(expr, &mut trims);
    trims.0
}
