//! Refused requests and connections closed early: counted by reason, and logged.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::warn;
use vigie_metrics::{Counter, Registry, Series};

use crate::metrics;

/// The minimum time between two log lines for one reason; the counter has the exact number.
const LOG_INTERVAL: Duration = Duration::from_secs(600);

/// One reason, with its counter and its log line.
#[derive(Clone)]
pub(super) struct Refusals {
    count: Arc<Series<Counter, 1>>,
    logged: Arc<Mutex<Option<Instant>>>,
    reason: &'static str,
    message: &'static str,
}

impl Refusals {
    /// Requests refused for `reason`.
    pub(super) fn of_requests(
        registry: &Registry,
        reason: &'static str,
        message: &'static str,
    ) -> Self {
        let family = registry.family(&metrics::ADMIN_REQUESTS_REFUSED);
        Self::new(family.series([reason]), reason, message)
    }

    /// Connections closed for `reason`.
    pub(super) fn of_connections(
        registry: &Registry,
        reason: &'static str,
        message: &'static str,
    ) -> Self {
        let family = registry.family(&metrics::ADMIN_CONNECTIONS_CLOSED);
        Self::new(family.series([reason]), reason, message)
    }

    fn new(count: Arc<Series<Counter, 1>>, reason: &'static str, message: &'static str) -> Self {
        Self {
            count,
            logged: Arc::default(),
            reason,
            message,
        }
    }

    /// Counts one, and logs it unless the reason was logged within the interval.
    pub(super) fn note(&self) {
        self.count.inc();
        let now = Instant::now();
        let mut logged = self.logged.lock();
        if logged.is_none_or(|before| now.duration_since(before) >= LOG_INTERVAL) {
            *logged = Some(now);
            let (reason, message) = (self.reason, self.message);
            warn!(reason, "admin port: {message}");
        }
    }
}
