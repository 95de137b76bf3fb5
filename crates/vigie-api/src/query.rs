//! `/query` and `/query_range`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tokio::time::Instant;
use vigie_promql::syntax::{is_costly, tree_bytes};
use vigie_promql::{Engine, EvalError, Features, Outcome, TimeRange, Value};
use vigie_promql::{Expr, annotations::Severity};

use crate::api::Api;
use crate::error::ApiError;
use crate::gate::Running;
use crate::json::Remarks;
use crate::params::Params;
use crate::result::{Answer, Stats, longest_text};
use crate::sending::{self, Pieces as _};
use crate::source::Source;
use crate::time;

/// The maximum number of warnings, and of infos, in a response.
const MAX_REMARKS: usize = 10;
/// A query is small if it holds at most this many samples and [`SMALL_MEMORY`] bytes at a time and its response is a
/// single chunk. It does not wait behind large queries.
const SMALL_SAMPLES: usize = 20_000;
/// See [`SMALL_SAMPLES`].
pub(crate) const SMALL_MEMORY: usize = 2 << 20;
/// A small query with a text of at most this many bytes is evaluated on the serving thread, in about a tenth of a
/// millisecond: waking another thread would take as long.
const SMALL_TEXT: usize = 1 << 10;
/// The most samples that a query reads on the serving thread.
const INLINE_READ: usize = 20_000;
/// The most samples that a small query reads: those take a few milliseconds.
const SMALL_READ: usize = 500_000;
/// The time after which an evaluation on the serving thread is stopped.
const INLINE_TIME: Duration = Duration::from_millis(1);
/// The time after which the evaluation of a small query on a thread for small queries is stopped.
const SMALL_TIME: Duration = Duration::from_millis(50);

pub(crate) async fn instant(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let limit = params.limit()?;
    let time = params.time("time", api.now())?;
    let query = Query::read(&api, &params, limit)?;
    query.answer(&api, Times::At(time)).await
}

pub(crate) async fn range(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let limit = params.limit()?;
    let start = params.required_time("start")?;
    let end = params.required_time("end")?;
    if end < start {
        let reason = "end timestamp must not be before start time";
        return Err(ApiError::parameter("end", reason));
    }
    let step = time::millis(params.get("step").unwrap_or_default());
    let step = step.map_err(|reason| ApiError::parameter("step", reason))?;
    if step <= 0.0 {
        let reason = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(ApiError::parameter("step", reason));
    }
    let step = step as i64;
    if step == 0 {
        return Err(ApiError::parameter("step", "it is less than a millisecond"));
    }
    let points = api.settings().limits.points;
    if u64::try_from((end - start) / step).is_ok_and(|steps| steps > points as u64) {
        return Err(ApiError::resolution(points));
    }
    let query = Query::read(&api, &params, limit)?;
    query
        .answer(&api, Times::Every(TimeRange { start, end, step }))
        .await
}

/// The evaluation times of a query.
#[derive(Clone, Copy)]
enum Times {
    At(i64),
    Every(TimeRange),
}

/// The parameters common to both endpoints.
struct Query {
    text: String,
    features: Features,
    engine: Engine,
    timeout: Duration,
    limit: Option<usize>,
    stats: bool,
}

impl Query {
    fn read(api: &Api, params: &Params, limit: Option<usize>) -> Result<Self, ApiError> {
        let settings = api.settings();
        let timeout = params.read("timeout", time::duration)?;
        let lookback = params.read("lookback_delta", time::duration)?;
        let lookback = lookback.filter(|lookback| !lookback.is_zero());
        let mut engine = Engine {
            lookback: lookback.unwrap_or(settings.lookback),
            limits: settings.limits,
            ..Engine::default()
        };
        // Prometheus limits the number of intervals, which is one less than that of points.
        engine.limits.points = engine.limits.points.saturating_add(1);
        Ok(Self {
            text: text(api, params)?.to_owned(),
            features: settings.features,
            engine,
            timeout: timeout.map_or(settings.timeout, |timeout| timeout.min(settings.timeout)),
            limit,
            stats: params.get("stats").is_some(),
        })
    }

    /// Tries to evaluate within the limits of a small query first: a query's size is known only afterwards.
    async fn answer(self, api: &Api, times: Times) -> Result<Response, ApiError> {
        let received = Instant::now();
        let send_timeout = api.settings().timeout;
        if !self.timeout.is_zero()
            && let Some(answer) = self.evaluate_inline(api, times)
        {
            return Ok(sending::response(answer?, None, send_timeout));
        }
        let query = Arc::new(self);
        if let Some(answer) = query.evaluate_small(api, times).await {
            return Ok(sending::response(answer?, None, send_timeout));
        }
        let source = Arc::clone(api.source());
        let left = query.timeout.saturating_sub(received.elapsed());
        let helpers = Arc::clone(api.helpers());
        let work = move |running: &Running| {
            let interrupted = || running.abandoned();
            let mut engine = query.engine;
            // Threads that are started have the low priority of this one.
            let helping = helpers.take();
            engine.threads = 1 + helping.count();
            query.evaluate(&*source, times, &engine, running.queued, &interrupted)
        };
        let (answer, permit) = api.gate().run(left, work).await?;
        Ok(sending::response(answer, Some(permit), send_timeout))
    }

    /// Evaluates the query on the serving thread; returns `None` if it is not small.
    fn evaluate_inline(&self, api: &Api, times: Times) -> Option<Result<Answer, ApiError>> {
        // Compiling a regular expression may take longer than `INLINE_TIME`.
        if self.text.len() > SMALL_TEXT || is_costly(&self.text) {
            return None;
        }
        let engine = self.small_engine(INLINE_READ)?;
        let started = Instant::now();
        let too_long = || started.elapsed() > INLINE_TIME;
        let answer = self.evaluate(&**api.source(), times, &engine, Duration::ZERO, &too_long);
        (!is_large(&answer)).then_some(answer)
    }

    /// Evaluates the query on a thread for small queries; returns `None` if it is not small and its timeout has not
    /// passed.
    async fn evaluate_small(
        self: &Arc<Self>,
        api: &Api,
        times: Times,
    ) -> Option<Result<Answer, ApiError>> {
        let engine = self.small_engine(SMALL_READ)?;
        let received = Instant::now();
        let (query, source) = (Arc::clone(self), Arc::clone(api.source()));
        let work = move |running: &Running| {
            let started = Instant::now();
            let interrupted = || running.abandoned() || started.elapsed() > SMALL_TIME;
            query.evaluate(&*source, times, &engine, running.queued, &interrupted)
        };
        let answer = api.small_gate().run(self.timeout, work).await;
        let answer = answer.map(|(answer, _)| answer);
        let is_late = answer.is_err() && received.elapsed() >= self.timeout;
        let is_final = !is_large(&answer) || is_late;
        is_final.then_some(answer)
    }

    /// The engine with the limits of a small query, which reads at most `read` samples; `None` if its own limits are
    /// tighter.
    fn small_engine(&self, read: usize) -> Option<Engine> {
        let mut engine = self.engine;
        engine.limits.read = read;
        let samples = std::mem::replace(&mut engine.limits.samples, SMALL_SAMPLES);
        engine.limits.bytes = engine.limits.bytes.min(SMALL_MEMORY);
        (samples > SMALL_SAMPLES).then_some(engine)
    }

    fn evaluate(
        &self,
        source: &dyn Source,
        times: Times,
        engine: &Engine,
        queued: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Answer, ApiError> {
        let started = Instant::now();
        // The memory limit of the query; the evaluation gets the part that the syntax tree does not use.
        let memory = engine.limits.bytes;
        let mut engine = *engine;
        let left = memory.checked_sub(tree_bytes(&self.text));
        engine.limits.bytes = left.ok_or_else(|| ApiError::too_much_memory(memory))?;
        let expr = parse(&self.text, self.features)?;
        if let (Times::Every(_), Some(refused)) = (times, range_type_error(&expr)) {
            return Err(ApiError::parameter("query", refused));
        }
        let prepared = started.elapsed();
        let outcome = match times {
            Times::At(time) => engine.instant(source, &expr, time, interrupted),
            Times::Every(times) => engine.range(source, &expr, times, interrupted),
        };
        let outcome = outcome.map_err(|error| match error {
            EvalError::TooMuchMemory { .. } => ApiError::too_much_memory(memory),
            error => ApiError::evaluation(error, &self.text),
        })?;
        let left = engine.limits.bytes.saturating_sub(outcome.bytes);
        if longest_text(&outcome.value) > left {
            return Err(ApiError::too_much_memory(memory));
        }
        let stats = self.stats.then(|| Stats {
            queued,
            prepared,
            evaluated: started.elapsed() - prepared,
            peak_samples: outcome.peak_samples,
            queried: outcome.queried,
        });
        let time = match times {
            Times::At(time) => time,
            Times::Every(times) => times.start,
        };
        Ok(self.finish(outcome, time, stats))
    }

    fn finish(&self, mut outcome: Outcome, time: i64, stats: Option<Stats>) -> Answer {
        let texts = |severity| {
            let mut texts = outcome.annotations.texts(severity, &self.text);
            let omitted = texts.len().saturating_sub(MAX_REMARKS);
            if omitted > 0 {
                texts.truncate(MAX_REMARKS);
                texts.push(format!("{omitted} more omitted"));
            }
            texts
        };
        let mut remarks = Remarks {
            warnings: texts(Severity::Warning),
            infos: texts(Severity::Info),
        };
        if let Some(limit) = self.limit {
            let found = match &mut outcome.value {
                Value::Vector(series) => truncate(series, limit),
                Value::Matrix(series) => truncate(series, limit),
                Value::Scalar(_) | Value::Text(_) => false,
            };
            if found {
                remarks.truncated();
            }
        }
        Answer::new(outcome.value, time, stats, &remarks)
    }
}

/// Whether the query exceeded the limits of a small one, or holds memory until its client has read the response.
fn is_large(answer: &Result<Answer, ApiError>) -> bool {
    match answer {
        Ok(answer) => !answer.is_written(),
        Err(error) => error.is_of_cost() || error.is_of_time(),
    }
}

/// Truncates the series to `limit`, and returns whether any were removed.
fn truncate<T>(series: &mut Vec<T>, limit: usize) -> bool {
    let more = series.len() > limit;
    series.truncate(limit);
    more
}

/// The parameter `query`, checked against the maximum length.
pub(crate) fn text<'a>(api: &Api, params: &'a Params) -> Result<&'a str, ApiError> {
    let text = params.get("query").unwrap_or_default();
    let (found, limit) = (text.len(), api.settings().query_bytes);
    if found > limit {
        let reason = format!("it is {found} bytes long, at most {limit} are accepted");
        return Err(ApiError::parameter("query", reason));
    }
    let memory = api.settings().limits.bytes;
    match tree_bytes(text) > memory {
        true => Err(ApiError::too_much_memory(memory)),
        false => Ok(text),
    }
}

pub(crate) fn parse(text: &str, features: Features) -> Result<Expr, ApiError> {
    vigie_promql::parse_with(text, features).map_err(|error| ApiError::parameter("query", error))
}

/// The reason why an expression cannot be evaluated over a range.
fn range_type_error(expr: &Expr) -> Option<String> {
    use vigie_promql::syntax::ValueType::{Matrix, Scalar, String, Vector};
    let found = match expr.value_type() {
        Scalar | Vector => return None,
        Matrix => "range vector",
        String => "string",
    };
    Some(format!(
        "invalid expression type {found:?} for range query, must be Scalar or instant Vector"
    ))
}
