//! What is recorded of a request, and when.

use std::sync::Arc;

use crate::metrics;
use http::{Method, StatusCode, Uri};
use tokio::time::Instant;
use vigie_metrics::{Counter, Family, Gauge, Histogram, Registry, Series};

use crate::routes::{Route, Routes};

/// The client went away before its response was complete; nginx' code, for no RFC has one.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Why the gateway, and not the app, ended a request.
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

    /// The code that is recorded. A body that broke off means that its client did.
    fn code(self) -> u16 {
        match self {
            Self::RequestCut => CLIENT_CLOSED_REQUEST,
            _ => self.status().as_u16(),
        }
    }

    /// The code a client gets, or would have got had its response not begun.
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

    /// What a client is told in one line.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::ConnectFailed => "502 Bad Gateway: the app refuses connections.\n",
            Self::ConnectTimeout => "504 Gateway Timeout: the app does not accept connections.\n",
            Self::ResponseTimeout => "504 Gateway Timeout: the app did not answer in time.\n",
            Self::ResponseInvalid => "502 Bad Gateway: the app's answer is not HTTP.\n",
            Self::RequestStalled => "408 Request Timeout: the request's body did not arrive.\n",
            Self::RequestCut => "400 Bad Request: the request's body is not complete.\n",
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
    first_error_code: u16,
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
            first_error_code: if count_client_errors { 400 } else { 500 },
        };
        metrics.in_flight.set(0.0);
        metrics.connections.set(0.0);
        for reason in Reason::ALL {
            metrics.failures.add([reason.label()], 0);
        }
        for folded in ["<other>", "<unmatched>", "_OTHER", "code"] {
            metrics.folded.add([folded], 0);
        }
        metrics
    }

    pub(crate) fn failed(&self, reason: Reason) {
        self.failures.inc([reason.label()]);
    }

    /// Counts a request that is sent again.
    pub(crate) fn resent(&self) {
        self.resends.inc();
    }

    /// Notes whether the app accepted a connection.
    pub(crate) fn app_is_up(&self, up: bool) {
        self.app_up.set(if up { 1.0 } else { 0.0 });
    }
}

/// One request being timed. It is recorded when this is dropped: with the code it got if the response was
/// [completed](Self::complete), with 499 if the client left before that.
pub(crate) struct Record {
    metrics: Arc<Metrics>,
    start: Instant,
    method: &'static str,
    uri: Uri,
    route: Option<Route>,
    head: u16,
    code: u16,
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
            end: None,
        }
    }

    /// The response's head is there: the route is known, and taught.
    pub(crate) fn head(&mut self, status: StatusCode, upgrade: bool) {
        self.head = status.as_u16();
        let routes = &self.metrics.routes;
        self.route = Some(routes.resolve(self.method, self.uri.path(), self.head, upgrade));
    }

    /// The response was handed over to its last byte.
    pub(crate) fn complete(&mut self) {
        self.complete_at(Instant::now());
    }

    /// The same, by somebody who has just looked at the clock.
    pub(crate) fn complete_at(&mut self, now: Instant) {
        self.code = self.head;
        self.end = Some(now);
    }

    /// The gateway ended the request.
    pub(crate) fn fail(&mut self, reason: Reason) {
        self.code = reason.code();
    }

    /// The request turned out to be none to record.
    pub(crate) fn discard(mut self) {
        self.code = 0;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let metrics = &*self.metrics;
        metrics.in_flight.add(-1.0);
        if self.code == 0 {
            return;
        }
        let resolve = || {
            let routes = &metrics.routes;
            routes.resolve(self.method, self.uri.path(), self.code, false)
        };
        let route = self.route.take().unwrap_or_else(resolve);
        if let Some(folded) = route.folded() {
            metrics.folded.inc([folded]);
        }
        if self.method == OTHER {
            metrics.folded.inc([OTHER]);
        }
        let code = StatusCode::from_u16(self.code).ok();
        let code = code.filter(|code| code.as_u16() < 600);
        if code.is_none() {
            metrics.folded.inc(["code"]);
        }
        let code = code.as_ref().map_or(OTHER, StatusCode::as_str);
        let labels = [self.method, &*route, code];
        let end = self.end.unwrap_or_else(Instant::now);
        metrics.duration.observe(labels, end - self.start);
        if self.code >= metrics.first_error_code && self.code != CLIENT_CLOSED_REQUEST {
            metrics.errors.inc(labels);
        }
    }
}

/// The value of `method` for what is not registered.
const OTHER: &str = "_OTHER";

/// The methods of RFC 9110 and PATCH (RFC 5789), and one value for all that a client makes up.
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
