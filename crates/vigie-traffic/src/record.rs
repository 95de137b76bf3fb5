//! The record of a request: the series it counts in, and when.

use std::sync::Arc;
use std::time::Duration;

use vigie_metrics::{Counter, Family, Gauge, Histogram, Registry, Series};

use crate::metrics;
use crate::routes::{Answer, Requests, Route, Routes, Unrequested};
use crate::stalls::Stalls;
use crate::streams::Rules;
use crate::tunnel::OpenTunnel;

/// The client disconnected before its response was complete. The code is nginx's; no RFC defines one.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The metrics of requests.
pub(crate) struct Metrics {
    duration: Family<Histogram, 3>,
    errors: Family<Counter, 3>,
    in_flight: Arc<Series<Gauge, 0>>,
    first_byte: Family<Histogram, 1>,
    stream_first_byte: Family<Histogram, 3>,
    open_streams: Arc<Series<Gauge, 0>>,
    open_tunnels: Family<Gauge, 1>,
    pub(crate) streams: Rules,
    pub(crate) stalls: Stalls,
    stall: Arc<Series<Histogram, 0>>,
    unreceived: Arc<Series<Counter, 0>>,
    folded: Family<Counter, 1>,
    pub(crate) abandoned: Arc<Series<Counter, 0>>,
    pub(crate) routes: Arc<Routes>,
    retired: Arc<Series<Counter, 0>>,
    first_error_code: u16,
}

impl Metrics {
    pub(crate) fn new(
        registry: &Registry,
        routes: Routes,
        streams: Rules,
        count_client_errors: bool,
    ) -> Self {
        let routes = Arc::new(routes);
        let counted = Arc::clone(&routes);
        registry.collect(&metrics::ROUTES, move || Some(counted.len() as f64));
        let metrics = Self {
            duration: registry.family(&metrics::HTTP_REQUEST_DURATION),
            errors: registry.family(&metrics::HTTP_REQUESTS_ERRORS),
            in_flight: registry.family(&metrics::REQUESTS_IN_FLIGHT).series([]),
            first_byte: registry.family(&metrics::HTTP_RESPONSE_FIRST_BYTE),
            stream_first_byte: registry.family(&metrics::HTTP_STREAM_FIRST_BYTE),
            open_streams: registry.family(&metrics::HTTP_STREAMS_OPEN).series([]),
            open_tunnels: registry.family(&metrics::HTTP_WEBSOCKETS_OPEN),
            streams,
            stalls: Stalls::default(),
            stall: registry.family(&metrics::HTTP_APP_STALL).series([]),
            unreceived: registry
                .family(&metrics::HTTP_REQUESTS_UNRECEIVED)
                .series([]),
            folded: registry.family(&metrics::ROUTE_OVERFLOW),
            abandoned: registry.family(&metrics::REQUESTS_ABANDONED).series([]),
            routes,
            retired: registry.family(&metrics::ROUTES_RETIRED).series([]),
            first_error_code: if count_client_errors { 400 } else { 500 },
        };
        metrics.in_flight.set(0.0);
        metrics.open_streams.set(0.0);
        for folded in Route::FOLDED.into_iter().chain([OTHER, "code"]) {
            metrics.folded.add([folded], 0);
        }
        metrics
    }

    /// Removes the series of routes that were replaced by others. Called periodically.
    pub(crate) fn remove_retired(&self) {
        let retired = self.routes.retired();
        let new = retired.saturating_sub(self.retired.get());
        if new == 0 {
            return;
        }
        self.retired.add(new);
        self.routes.with_labels(|is_in_use| {
            self.duration.retain(|[_, route, _]| is_in_use(route));
            self.errors.retain(|[_, route, _]| is_in_use(route));
            self.stream_first_byte
                .retain(|[_, route, _]| is_in_use(route));
            self.first_byte.retain(|[route]| is_in_use(route));
            self.open_tunnels.retain(|[route]| is_in_use(route));
        });
    }

    /// The configured patterns that no request has matched, once there is enough traffic to judge.
    pub(crate) fn unrequested(
        &self,
        state: &mut Unrequested,
        since_start: Duration,
    ) -> Vec<String> {
        if !state.is_due(since_start) {
            return Vec::new();
        }
        let requests = self.requests();
        let list = self.routes.list(&requests);
        state.report(&list, requests.values().sum(), since_start)
    }

    /// The requests recorded so far, by method and route.
    pub(crate) fn requests(&self) -> Requests {
        let mut requests = Requests::new();
        for counted in [&self.duration, &self.stream_first_byte] {
            counted.for_each(|[method, route, _], histogram| {
                let of_it = requests.entry((method.to_owned(), route.to_owned()));
                *of_it.or_default() += histogram.count();
            });
        }
        requests
    }

    /// Methods, codes and routes that have series.
    pub(crate) fn series(&self) -> Vec<[String; 3]> {
        let mut series = Vec::new();
        self.duration.for_each(|[method, route, code], _| {
            series.push([method, code, route].map(str::to_owned));
        });
        series
    }

    /// Creates the series of an earlier run, if their routes still exist: their counts start at 0 before the first
    /// request, so that `increase()` includes it.
    pub(crate) fn restore(&self, series: &[[String; 3]]) {
        self.routes.with_labels(|is_in_use| {
            for [method, code, route] in series {
                let (Some(method), Some(code)) = (known_method(method), Code::parse(code)) else {
                    continue;
                };
                if !is_in_use(route) {
                    continue;
                }
                let labels = [method, route, code.text()];
                let _ = self.duration.series(labels);
                if self.is_error(code.0) {
                    self.errors.add(labels, 0);
                }
            }
        });
    }

    /// The response to a request began that was complete at `sent`.
    pub(crate) fn answered(&self, at: Duration, sent: Duration) {
        if let Some(stall) = self.stalls.answered(at, sent) {
            self.stall.observe(stall);
        }
    }

    fn is_error(&self, code: u16) -> bool {
        code >= self.first_error_code && code != CLIENT_CLOSED_REQUEST
    }
}

/// The timing of one request. It is counted by [`count`](Self::count) only.
pub(crate) struct Record {
    metrics: Arc<Metrics>,
    began: Duration,
    method: &'static str,
    path: String,
    in_flight: bool,
    is_stream: bool,
    /// The time to the first byte of the response.
    first_byte: Option<Duration>,
}

/// How a recorded request was answered.
pub(crate) struct Answered {
    /// The recorded code.
    pub(crate) code: u16,
    /// The conclusion about the route.
    pub(crate) answer: Answer,
}

impl Record {
    /// `path` is a buffer. A request that may belong to Engine.IO is not shown as in flight.
    pub(crate) fn begin(
        metrics: &Arc<Metrics>,
        at: Duration,
        method: &str,
        target: &str,
        mut path: String,
        in_flight: bool,
    ) -> Self {
        path.clear();
        path.push_str(path_of(target));
        if in_flight {
            metrics.in_flight.add(1.0);
        }
        Self {
            metrics: Arc::clone(metrics),
            began: at,
            method: method_label(method),
            path,
            in_flight,
            is_stream: false,
            first_byte: None,
        }
    }

    /// Whether the successful responses of its route are streams.
    pub(crate) fn is_of_stream_route(&self) -> bool {
        self.metrics.streams.contain(self.method, &self.path)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// When the request began.
    pub(crate) fn began(&self) -> Duration {
        self.began
    }

    /// The head of the response came this long after the first byte of the request.
    pub(crate) fn first_byte(&mut self, after: Duration) {
        self.first_byte = Some(after);
    }

    /// The head of the response came at `at`, and is that of a stream.
    pub(crate) fn stream(&mut self, at: Duration, status: u16) {
        if std::mem::take(&mut self.in_flight) {
            self.metrics.in_flight.add(-1.0);
        }
        self.is_stream = true;
        self.metrics.open_streams.add(1.0);
        let answer = Answer::Status(status);
        let answered = Answered {
            code: status,
            answer,
        };
        self.with_labels(&answered, |metrics, labels| {
            let until_head = at.saturating_sub(self.began);
            metrics.stream_first_byte.observe(labels, until_head);
        });
    }

    /// Counts the request, which ended at `at`. A stream has been counted: only its failure is an error.
    pub(crate) fn count(&self, at: Duration, answered: &Answered) {
        self.with_labels(answered, |metrics, labels| {
            if !self.is_stream {
                let duration = at.saturating_sub(self.began);
                metrics.duration.observe(labels, duration);
                if let Some(first_byte) = self.first_byte {
                    metrics.first_byte.observe([labels[1]], first_byte);
                }
            }
            if metrics.is_error(answered.code) {
                metrics.errors.inc(labels);
            }
        });
    }

    /// The connection continues with another protocol, for as long as the result lives.
    pub(crate) fn open_tunnel(&self, at: Duration, answered: &Answered) -> OpenTunnel {
        self.count(at, answered);
        self.with_labels(answered, |metrics, [_, route, _]| {
            OpenTunnel::new(metrics.open_tunnels.series([route]))
        })
    }

    /// The app closed the idle connection before it received the request.
    pub(crate) fn unreceived(&self) {
        self.metrics.unreceived.inc();
    }

    fn with_labels<T>(
        &self,
        answered: &Answered,
        record: impl FnOnce(&Metrics, [&str; 3]) -> T,
    ) -> T {
        let metrics = &*self.metrics;
        let routes = &metrics.routes;
        let route = routes.resolve(self.method, &self.path, answered.answer, self.began);
        if let Some(folded) = route.folded() {
            metrics.folded.inc([folded]);
        }
        if self.method == OTHER {
            metrics.folded.inc([OTHER]);
        }
        let code = Code::new(answered.code);
        if code.is_none() {
            metrics.folded.inc(["code"]);
        }
        let code = code.as_ref().map_or(OTHER, Code::text);
        record(metrics, [self.method, &*route, code])
    }

    /// The outcome of the request is unknown.
    pub(crate) fn abandon(&self) {
        self.metrics.abandoned.inc();
    }

    /// The buffer of the path, for the next record.
    pub(crate) fn into_buffer(mut self) -> String {
        std::mem::take(&mut self.path)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.in_flight {
            self.metrics.in_flight.add(-1.0);
        }
        if self.is_stream {
            self.metrics.open_streams.add(-1.0);
        }
    }
}

/// The path of a request target, without its query: the absolute form has one too.
fn path_of(target: &str) -> &str {
    let target = target.split('?').next().unwrap_or(target);
    if target.starts_with('/') {
        return target;
    }
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    }
}

/// The value of `method` for unregistered methods.
const OTHER: &str = "_OTHER";

/// A status code from 100 to 599, with its text.
struct Code(u16, [u8; 3]);

impl Code {
    /// Codes above 599 are not status codes, and share one value of `code`.
    fn new(code: u16) -> Option<Self> {
        let digit = |value: u16| b'0' + u8::try_from(value % 10).unwrap_or_default();
        let text = [digit(code / 100), digit(code / 10), digit(code)];
        (100..600).contains(&code).then_some(Self(code, text))
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::new)
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.1).unwrap_or_default()
    }
}

fn known_method(text: &str) -> Option<&'static str> {
    let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_token.then(|| method_label(text))
}

/// The methods of RFC 9110 and PATCH (RFC 5789), and one value for all others.
fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::routes::Limits;

    /// Sends this number of requests for a path, at this number of minutes after the start.
    fn get(metrics: &Arc<Metrics>, path: &str, times: u32, minutes: u64) {
        let at = Duration::from_secs(minutes * 60);
        for _ in 0..times {
            for code in [500, 200] {
                let record = Record::begin(metrics, at, "GET", path, String::new(), true);
                let answer = Answer::Status(code);
                record.count(at, &Answered { code, answer });
            }
        }
    }

    #[test]
    fn the_path_of_a_target() {
        for (target, path) in [
            ("/a/b?c=/d", "/a/b"),
            ("http://host:80/a?b", "/a"),
            ("http://host", "/"),
            ("http://host?x=/y", "/"),
            ("*", "*"),
            ("host:443", "host:443"),
        ] {
            assert_eq!(path_of(target), path, "{target}");
        }
    }

    #[test]
    fn a_retired_route_loses_its_series_and_no_other_does() {
        let limits = Limits {
            max_routes: 4,
            ..Limits::default()
        };
        let registry = Registry::new();
        let routes = Routes::new(&["/configured"], limits).unwrap();
        let metrics = Arc::new(Metrics::new(
            &registry,
            routes,
            Rules::new(&crate::Settings::default()).unwrap(),
            false,
        ));
        let series = || {
            let mut durations = Vec::new();
            registry.visit(|name, labels, _| {
                if name == "http_requests_errors_total" {
                    durations.push(labels[1].1.to_owned());
                }
            });
            durations.sort();
            durations
        };
        for path in ["/configured", "/a", "/b", "/c"] {
            get(&metrics, path, 10, 0);
        }
        metrics.remove_retired();
        assert_eq!(series(), ["/a", "/b", "/c", "/configured", "<other>"]);
        get(&metrics, "/a", 1, 20);
        get(&metrics, "/d", 11, 20);
        get(&metrics, "/d", 1, 21);
        metrics.remove_retired();
        assert_eq!(series(), ["/a", "/c", "/configured", "/d", "<other>"]);
        assert_eq!(metrics.retired.get(), 1);
    }

    #[test]
    fn patterns_without_a_request_are_reported_once_after_an_hour_with_requests() {
        const HOUR: Duration = Duration::from_secs(3600);
        let registry = Registry::new();
        let patterns = ["/users/:id", "GET /orders", "POST /orders", "/admin/*"];
        let routes = Routes::new(&patterns, Limits::default()).unwrap();
        let metrics = Arc::new(Metrics::new(
            &registry,
            routes,
            Rules::new(&crate::Settings::default()).unwrap(),
            false,
        ));
        let mut state = Unrequested::default();
        get(&metrics, "/users/1", 499, 0);
        assert!(metrics.unrequested(&mut state, HOUR).is_empty());
        get(&metrics, "/orders", 1, 59);
        let early = HOUR - Duration::from_secs(1);
        assert!(metrics.unrequested(&mut state, early).is_empty());
        let reported = metrics.unrequested(&mut state, HOUR);
        assert_eq!(reported, ["POST /orders", "/admin/*"]);
        assert!(metrics.unrequested(&mut state, 2 * HOUR).is_empty());
    }
}
