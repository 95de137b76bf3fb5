//! The reasons why the gateway ends a request, and the gateway's own metrics.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;
use vigie_metrics::{Counter, Family, Gauge, Registry, Series};
use vigie_traffic::{Fault, Traffic};

use crate::metrics;

/// The reason why the gateway ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    ConnectFailed,
    ConnectTimeout,
    OutOfResources,
    ResponseTimeout,
    ResponseMissing,
    ResponseInvalid,
    ResponseCut,
    ResponseStalled,
    RequestStalled,
    RequestInvalid,
    RequestTooLarge,
    HeadTimeout,
    ConnectMethod,
    ProxyHeaderInvalid,
}

impl Reason {
    const ALL: [Self; 14] = [
        Self::ConnectFailed,
        Self::ConnectTimeout,
        Self::OutOfResources,
        Self::ResponseTimeout,
        Self::ResponseMissing,
        Self::ResponseInvalid,
        Self::ResponseCut,
        Self::ResponseStalled,
        Self::RequestStalled,
        Self::RequestInvalid,
        Self::RequestTooLarge,
        Self::HeadTimeout,
        Self::ConnectMethod,
        Self::ProxyHeaderInvalid,
    ];

    /// The reason why a malformed request is refused.
    pub(crate) fn of_fault(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge | Fault::TooManyFields => Self::RequestTooLarge,
            _ => Self::RequestInvalid,
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::ConnectFailed => "connect_failed",
            Self::ConnectTimeout => "connect_timeout",
            Self::OutOfResources => "out_of_resources",
            Self::ResponseTimeout => "response_timeout",
            Self::ResponseMissing => "response_missing",
            Self::ResponseInvalid => "response_invalid",
            Self::ResponseCut => "response_cut",
            Self::ResponseStalled => "response_stalled",
            Self::RequestStalled => "request_stalled",
            Self::RequestInvalid => "request_invalid",
            Self::RequestTooLarge => "request_too_large",
            Self::HeadTimeout => "head_timeout",
            Self::ConnectMethod => "connect_method",
            Self::ProxyHeaderInvalid => "proxy_header_invalid",
        }
    }

    /// Whether the app had received the request.
    pub(crate) fn app_has_request(self) -> bool {
        matches!(
            self,
            Self::ResponseTimeout | Self::ResponseMissing | Self::ResponseInvalid
        )
    }

    /// The code of the client's response, if it has not begun, and the recorded one.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::ConnectTimeout | Self::ResponseTimeout | Self::ResponseStalled => 504,
            Self::RequestStalled | Self::HeadTimeout => 408,
            Self::OutOfResources => 503,
            Self::RequestInvalid | Self::ProxyHeaderInvalid => 400,
            Self::RequestTooLarge => 431,
            Self::ConnectMethod => 405,
            _ => 502,
        }
    }

    /// The body of the gateway's response: one line.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::ConnectFailed => "502 Bad Gateway: the app refuses connections.\n",
            Self::ConnectTimeout => "504 Gateway Timeout: the app does not accept connections.\n",
            Self::OutOfResources => {
                "503 Service Unavailable: the gateway has no file descriptors or ports left.\n"
            }
            Self::ResponseTimeout => "504 Gateway Timeout: the app did not answer in time.\n",
            Self::ResponseInvalid => "502 Bad Gateway: the app's answer is not HTTP.\n",
            Self::RequestStalled => "408 Request Timeout: the request's body did not arrive.\n",
            Self::RequestInvalid => "400 Bad Request: the request is not valid HTTP/1.1.\n",
            Self::RequestTooLarge => {
                "431 Request Header Fields Too Large: the head of the request is too large.\n"
            }
            Self::HeadTimeout => "408 Request Timeout: the head of the request did not arrive.\n",
            Self::ConnectMethod => {
                "405 Method Not Allowed: this gateway does not support CONNECT.\n"
            }
            Self::ProxyHeaderInvalid => {
                "400 Bad Request: the connection does not begin with a PROXY protocol header.\n"
            }
            _ => "502 Bad Gateway: the app closed the connection without an answer.\n",
        }
    }
}

/// The seconds between two log lines about the same reason.
const LOG_EVERY: u64 = 10;

/// The metrics of the gateway and of its traffic.
pub(crate) struct Metrics {
    failures: Family<Counter, 1>,
    /// When a failure of each reason was last logged, in seconds; 0 for never.
    logged: [AtomicU64; Reason::ALL.len()],
    pub(crate) accept_failures: Arc<Series<Counter, 0>>,
    pub(crate) connections: Arc<Series<Gauge, 0>>,
    pub(crate) traffic: Traffic,
    /// The origin of the times of the traffic.
    start: Instant,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry, traffic: Traffic) -> Self {
        let metrics = Self {
            failures: registry.family(&metrics::GATEWAY_ERRORS),
            logged: Default::default(),
            accept_failures: registry
                .family(&metrics::GATEWAY_ACCEPT_FAILURES)
                .series([]),
            connections: registry.family(&metrics::GATEWAY_CONNECTIONS).series([]),
            traffic,
            start: Instant::now(),
        };
        metrics.connections.set(0.0);
        for reason in Reason::ALL {
            metrics.failures.add([reason.label()], 0);
        }
        metrics
    }

    /// The time since the gateway was created.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The instant of a time of the traffic.
    pub(crate) fn instant(&self, time: Duration) -> Instant {
        self.start + time
    }

    /// Counts a request that failed or was refused, and logs it unless one with the same reason was logged shortly before.
    pub(crate) fn failed(&self, reason: Reason, cause: &dyn Display) {
        self.failures.inc([reason.label()]);
        let Some(logged) = self.logged.get(reason as usize) else {
            return;
        };
        // From 1, because 0 stands for never.
        let now = self.now().as_secs() + 1;
        let last = logged.load(Relaxed);
        let is_due = last == 0 || now >= last + LOG_EVERY;
        if is_due && logged.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            warn!(
                reason = reason.label(),
                %cause,
                "a request failed or was refused; more of this reason are only counted for {LOG_EVERY} s"
            );
        }
    }
}
