//! The record of a request: the series it counts in, and when.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics;
use http::{Method, StatusCode, Uri};
use tokio::time::Instant;
use vigie_metrics::{Counter, Family, Gauge, Histogram, Registry, Series};

use crate::routes::{Answer, Requests, Route, Routes, Unrequested};

/// The client disconnected before its response was complete. The code is nginx's; no RFC defines one.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The reason why the gateway ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    ConnectFailed,
    ConnectTimeout,
    ResponseTimeout,
    ResponseMissing,
    ResponseInvalid,
    ResponseCut,
    ResponseStalled,
    RequestStalled,
    RequestCut,
}

impl Reason {
    const ALL: [Self; 9] = [
        Self::ConnectFailed,
        Self::ConnectTimeout,
        Self::ResponseTimeout,
        Self::ResponseMissing,
        Self::ResponseInvalid,
        Self::ResponseCut,
        Self::ResponseStalled,
        Self::RequestStalled,
        Self::RequestCut,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::ConnectFailed => "connect_failed",
            Self::ConnectTimeout => "connect_timeout",
            Self::ResponseTimeout => "response_timeout",
            Self::ResponseMissing => "response_missing",
            Self::ResponseInvalid => "response_invalid",
            Self::ResponseCut => "response_cut",
            Self::ResponseStalled => "response_stalled",
            Self::RequestStalled => "request_stalled",
            Self::RequestCut => "request_cut",
        }
    }

    /// Whether the app had received the request.
    fn app_has_request(self) -> bool {
        matches!(
            self,
            Self::ResponseTimeout | Self::ResponseMissing | Self::ResponseInvalid
        )
    }

    /// The recorded code. A truncated request body means that the client disconnected.
    fn code(self) -> u16 {
        match self {
            Self::RequestCut => CLIENT_CLOSED_REQUEST,
            _ => self.status().as_u16(),
        }
    }

    /// The code of the client's response, if it has not begun.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::ConnectTimeout | Self::ResponseTimeout | Self::ResponseStalled => {
                StatusCode::GATEWAY_TIMEOUT
            }
            Self::RequestStalled => StatusCode::REQUEST_TIMEOUT,
            Self::RequestCut => StatusCode::BAD_REQUEST,
            _ => StatusCode::BAD_GATEWAY,
        }
    }

    /// The body of the gateway's response: one line.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::ConnectFailed => "502 Bad Gateway: the app refuses connections.\n",
            Self::ConnectTimeout => "504 Gateway Timeout: the app does not accept connections.\n",
            Self::ResponseTimeout => "504 Gateway Timeout: the app did not answer in time.\n",
            Self::ResponseInvalid => "502 Bad Gateway: the app's answer is not HTTP.\n",
            Self::RequestStalled => "408 Request Timeout: the request's body did not arrive.\n",
            Self::RequestCut => "400 Bad Request: the request's body is incomplete.\n",
            _ => "502 Bad Gateway: the app closed the connection without an answer.\n",
        }
    }
}

/// The gateway's metrics.
pub(crate) struct Metrics {
    duration: Family<Histogram, 3>,
    errors: Family<Counter, 3>,
    in_flight: Arc<Series<Gauge, 0>>,
    folded: Family<Counter, 1>,
    failures: Family<Counter, 1>,
    resends: Arc<Series<Counter, 0>>,
    app_up: Arc<Series<Gauge, 1>>,
    pub(crate) connections: Arc<Series<Gauge, 0>>,
    pub(crate) routes: Arc<Routes>,
    retired: Arc<Series<Counter, 0>>,
    first_error_code: u16,
    start: Instant,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry, routes: Routes, count_client_errors: bool) -> Self {
        let routes = Arc::new(routes);
        let counted = Arc::clone(&routes);
        registry.collect(&metrics::GATEWAY_ROUTES, move || Some(counted.len() as f64));
        let metrics = Self {
            duration: registry.family(&metrics::HTTP_REQUEST_DURATION),
            errors: registry.family(&metrics::HTTP_REQUESTS_ERRORS),
            in_flight: registry.family(&metrics::GATEWAY_IN_FLIGHT).series([]),
            folded: registry.family(&metrics::GATEWAY_ROUTE_OVERFLOW),
            failures: registry.family(&metrics::GATEWAY_ERRORS),
            resends: registry.family(&metrics::GATEWAY_RESENDS).series([]),
            app_up: registry
                .family(&vigie_metrics::own::SOURCE_UP)
                .series(["app"]),
            connections: registry.family(&metrics::GATEWAY_CONNECTIONS).series([]),
            routes,
            retired: registry.family(&metrics::GATEWAY_ROUTES_RETIRED).series([]),
            start: Instant::now(),
            first_error_code: if count_client_errors { 400 } else { 500 },
        };
        metrics.in_flight.set(0.0);
        metrics.connections.set(0.0);
        for reason in Reason::ALL {
            metrics.failures.add([reason.label()], 0);
        }
        for folded in Route::FOLDED.into_iter().chain([OTHER, "code"]) {
            metrics.folded.add([folded], 0);
        }
        metrics
    }

    pub(crate) fn failed(&self, reason: Reason) {
        self.failures.inc([reason.label()]);
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
        });
    }

    /// The configured patterns that no request has matched, once the gateway has run long enough to judge.
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
        self.duration.for_each(|[method, route, _], histogram| {
            let of_it = requests.entry((method.to_owned(), route.to_owned()));
            *of_it.or_default() += histogram.count();
        });
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
                let (Some(method), Some(code)) = (known_method(method), known_code(code)) else {
                    continue;
                };
                if !is_in_use(route) {
                    continue;
                }
                let labels = [method, route, code.as_str()];
                let _ = self.duration.series(labels);
                if self.is_error(code.as_u16()) {
                    self.errors.add(labels, 0);
                }
            }
        });
    }

    fn is_error(&self, code: u16) -> bool {
        code >= self.first_error_code && code != CLIENT_CLOSED_REQUEST
    }

    /// The time since the gateway was created.
    pub(crate) fn since_start(&self) -> Duration {
        self.start.elapsed()
    }

    /// Counts a request that is sent again.
    pub(crate) fn resent(&self) {
        self.resends.inc();
    }

    /// Records whether the app accepted a connection.
    pub(crate) fn app_is_up(&self, up: bool) {
        self.app_up.set(if up { 1.0 } else { 0.0 });
    }
}

/// The timing of one request. It is recorded on drop: with its code if the response was [completed](Self::complete),
/// with 499 if the client disconnected before that.
pub(crate) struct Record {
    metrics: Arc<Metrics>,
    start: Instant,
    method: &'static str,
    uri: Uri,
    route: Option<Route>,
    head: u16,
    code: u16,
    /// For a request without a response head.
    answer: Answer,
    end: Option<Instant>,
}

impl Record {
    pub(crate) fn begin(
        metrics: &Arc<Metrics>,
        method: &Method,
        uri: &Uri,
        start: Instant,
    ) -> Self {
        metrics.in_flight.add(1.0);
        Self {
            metrics: Arc::clone(metrics),
            start,
            method: method_label(method),
            uri: uri.clone(),
            route: None,
            head: CLIENT_CLOSED_REQUEST,
            code: CLIENT_CLOSED_REQUEST,
            answer: Answer::Own(CLIENT_CLOSED_REQUEST),
            end: None,
        }
    }

    /// Records the head of the app's response.
    pub(crate) fn head(&mut self, status: StatusCode, upgrade: bool) {
        self.head = status.as_u16();
        self.resolve(match upgrade {
            true => Answer::Switched,
            false => Answer::Status(self.head),
        });
    }

    /// The gateway responds without forwarding the request.
    pub(crate) fn refuse(&mut self, status: StatusCode) {
        self.head = status.as_u16();
        self.resolve(Answer::Own(self.head));
    }

    fn resolve(&mut self, answer: Answer) {
        let since_start = self.start.saturating_duration_since(self.metrics.start);
        let routes = &self.metrics.routes;
        let route = routes.resolve(self.method, self.uri.path(), answer, since_start);
        self.route = Some(route);
    }

    /// The last byte of the response was forwarded.
    pub(crate) fn complete(&mut self) {
        self.complete_at(Instant::now());
    }

    /// Like `complete`, for a caller that has the current time.
    pub(crate) fn complete_at(&mut self, now: Instant) {
        self.code = self.head;
        self.end = Some(now);
    }

    /// The gateway ended the request.
    pub(crate) fn fail(&mut self, reason: Reason) {
        self.code = reason.code();
        self.answer = match reason.app_has_request() {
            true => Answer::Missing(self.code),
            false => Answer::Own(self.code),
        };
    }

    /// Drops the record without counting the request.
    pub(crate) fn discard(mut self) {
        self.code = 0;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.metrics.in_flight.add(-1.0);
        if self.code == 0 {
            return;
        }
        if self.route.is_none() {
            self.resolve(self.answer);
        }
        let Some(route) = self.route.take() else {
            return;
        };
        let metrics = &*self.metrics;
        if let Some(folded) = route.folded() {
            metrics.folded.inc([folded]);
        }
        if self.method == OTHER {
            metrics.folded.inc([OTHER]);
        }
        let code = StatusCode::from_u16(self.code).ok().filter(is_status);
        if code.is_none() {
            metrics.folded.inc(["code"]);
        }
        let code = code.as_ref().map_or(OTHER, StatusCode::as_str);
        let labels = [self.method, &*route, code];
        let end = self.end.unwrap_or_else(Instant::now);
        metrics.duration.observe(labels, end - self.start);
        if metrics.is_error(self.code) {
            metrics.errors.inc(labels);
        }
    }
}

/// The value of `method` for unregistered methods.
const OTHER: &str = "_OTHER";

/// Codes above 599 are not status codes, and share one value of `code`.
fn is_status(code: &StatusCode) -> bool {
    code.as_u16() < 600
}

fn known_code(text: &str) -> Option<StatusCode> {
    text.parse().ok().filter(is_status)
}

fn known_method(text: &str) -> Option<&'static str> {
    let method = Method::from_bytes(text.as_bytes()).ok()?;
    Some(method_label(&method))
}

/// The methods of RFC 9110 and PATCH (RFC 5789), and one value for all others.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::routes::Limits;

    /// Sends this number of requests for a path, at this number of minutes after the start.
    fn get(metrics: &Arc<Metrics>, path: &str, times: u32, minutes: u64) {
        let uri: Uri = path.parse().unwrap();
        let start = metrics.start + Duration::from_secs(minutes * 60);
        for _ in 0..times {
            let mut record = Record::begin(metrics, &Method::GET, &uri, start);
            record.head(StatusCode::INTERNAL_SERVER_ERROR, false);
            record.complete_at(start);
            let mut record = Record::begin(metrics, &Method::GET, &uri, start);
            record.head(StatusCode::OK, false);
            record.complete_at(start);
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
        let metrics = Arc::new(Metrics::new(&registry, routes, false));
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
        let metrics = Arc::new(Metrics::new(&registry, routes, false));
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
