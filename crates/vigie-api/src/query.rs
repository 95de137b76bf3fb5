//! `/query` and `/query_range`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tokio::time::Instant;
use vigie_promql::syntax::{is_costly, tree_bytes};
use vigie_promql::{Engine, EvalError, Outcome, TimeRange, Value};
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
const MOST_REMARKS: usize = 10;
/// A query is small if it holds at most this many samples and [`SMALL_MEMORY`] bytes at a time and its response is a
/// single chunk. It does not wait behind large queries.
const SMALL: usize = 20_000;
/// See [`SMALL`].
pub(crate) const SMALL_MEMORY: usize = 2 << 20;
/// A small query with a text of at most this many bytes is evaluated on the serving thread, in about a tenth of a
/// millisecond: waking another thread would take as long.
const SMALL_TEXT: usize = 1 << 10;
/// The time after which an evaluation on the serving thread is stopped.
const AT_ONCE: Duration = Duration::from_millis(1);
/// The time after which the evaluation of a small query on a thread for small queries is stopped.
const SOON: Duration = Duration::from_millis(50);

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
            engine,
            timeout: timeout.map_or(settings.timeout, |timeout| timeout.min(settings.timeout)),
            limit,
            stats: params.get("stats").is_some(),
        })
    }

    /// Tries to evaluate within the limits of a small query first: a query's size is known only afterwards.
    async fn answer(self, api: &Api, times: Times) -> Result<Response, ApiError> {
        let asked = Instant::now();
        let to_send = api.settings().timeout;
        if !self.timeout.is_zero()
            && let Some(answer) = self.at_once(api, times)
        {
            return Ok(sending::response(answer?, None, to_send));
        }
        let query = Arc::new(self);
        if let Some(answer) = query.soon(api, times).await {
            return Ok(sending::response(answer?, None, to_send));
        }
        let source = Arc::clone(api.source());
        let left = query.timeout.saturating_sub(asked.elapsed());
        let work = move |running: &Running| {
            let interrupted = || running.abandoned();
            query.evaluate(&*source, times, &query.engine, running.queued, &interrupted)
        };
        let (answer, permit) = api.gate().run(left, work).await?;
        Ok(sending::response(answer, Some(permit), to_send))
    }

    /// Evaluates the query on the serving thread; returns `None` if it is not small.
    fn at_once(&self, api: &Api, times: Times) -> Option<Result<Answer, ApiError>> {
        // Compiling a regular expression may take longer than `AT_ONCE`.
        if self.text.len() > SMALL_TEXT || is_costly(&self.text) {
            return None;
        }
        let engine = self.small()?;
        let begun = Instant::now();
        let too_long = || begun.elapsed() > AT_ONCE;
        let answer = self.evaluate(&**api.source(), times, &engine, Duration::ZERO, &too_long);
        (!is_large(&answer)).then_some(answer)
    }

    /// Evaluates the query on a thread for small queries; returns `None` if it is not small and its timeout has not
    /// passed.
    async fn soon(self: &Arc<Self>, api: &Api, times: Times) -> Option<Result<Answer, ApiError>> {
        let engine = self.small()?;
        let asked = Instant::now();
        let (query, source) = (Arc::clone(self), Arc::clone(api.source()));
        let work = move |running: &Running| {
            let begun = Instant::now();
            let interrupted = || running.abandoned() || begun.elapsed() > SOON;
            query.evaluate(&*source, times, &engine, running.queued, &interrupted)
        };
        let answer = api.small_gate().run(self.timeout, work).await;
        let answer = answer.map(|(answer, _)| answer);
        let is_late = answer.is_err() && asked.elapsed() >= self.timeout;
        let is_final = !is_large(&answer) || is_late;
        is_final.then_some(answer)
    }

    /// The engine with the limits of a small query; `None` if its own limits are tighter.
    fn small(&self) -> Option<Engine> {
        let mut engine = self.engine;
        let samples = std::mem::replace(&mut engine.limits.samples, SMALL);
        engine.limits.bytes = engine.limits.bytes.min(SMALL_MEMORY);
        (samples > SMALL).then_some(engine)
    }

    fn evaluate(
        &self,
        source: &dyn Source,
        times: Times,
        engine: &Engine,
        queued: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Answer, ApiError> {
        let begun = Instant::now();
        // The memory limit of the query; the evaluation gets the part that the syntax tree does not use.
        let memory = engine.limits.bytes;
        let mut engine = *engine;
        let left = memory.checked_sub(tree_bytes(&self.text));
        engine.limits.bytes = left.ok_or_else(|| ApiError::too_much_memory(memory))?;
        let expr = parse(&self.text)?;
        if let (Times::Every(_), Some(refused)) = (times, no_range(&expr)) {
            return Err(ApiError::parameter("query", refused));
        }
        let prepared = begun.elapsed();
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
            evaluated: begun.elapsed() - prepared,
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
            let left_out = texts.len().saturating_sub(MOST_REMARKS);
            if left_out > 0 {
                texts.truncate(MOST_REMARKS);
                texts.push(format!("{left_out} more are left out"));
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
    let (found, most) = (text.len(), api.settings().query_bytes);
    if found > most {
        let reason = format!("it is {found} bytes long, at most {most} are accepted");
        return Err(ApiError::parameter("query", reason));
    }
    let memory = api.settings().limits.bytes;
    match tree_bytes(text) > memory {
        true => Err(ApiError::too_much_memory(memory)),
        false => Ok(text),
    }
}

pub(crate) fn parse(text: &str) -> Result<Expr, ApiError> {
    vigie_promql::parse(text).map_err(|error| ApiError::parameter("query", error))
}

/// The reason why an expression cannot be evaluated over a range.
fn no_range(expr: &Expr) -> Option<String> {
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
