//! Configured patterns that no request has matched: often a typing error, or a prefix that a proxy in front removes.

use std::time::Duration;

use super::{RouteList, RouteOrigin};

/// Before this time the absence of requests means nothing.
const AFTER: Duration = Duration::from_secs(3600);

/// Requests in all before the absence of some means anything.
const REQUESTS: u64 = 1_000;

/// Reports the patterns once.
#[derive(Debug, Default)]
pub struct Unrequested {
    is_reported: bool,
}

impl Unrequested {
    /// Whether the time for the report may have come, so that it is worth making the list.
    pub(crate) fn is_due(&self, since_start: Duration) -> bool {
        !self.is_reported && since_start >= AFTER
    }

    /// The configured patterns without a request, after enough time and `requests` in all. Each is returned once.
    pub(crate) fn report(
        &mut self,
        list: &RouteList,
        requests: u64,
        since_start: Duration,
    ) -> Vec<String> {
        if !self.is_due(since_start) || requests < REQUESTS {
            return Vec::new();
        }
        self.is_reported = true;
        let routes = list.routes.iter();
        routes
            .filter(|route| route.origin == RouteOrigin::Configured && route.requests == 0)
            .map(|route| route.pattern.clone())
            .collect()
    }
}
