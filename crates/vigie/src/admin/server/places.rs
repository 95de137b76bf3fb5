//! Places for concurrent requests. Queries and pages have separate ones, so that queries cannot block scrapers; probes
//! need none.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The class of a request, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Class {
    /// `/healthz`, `/readyz` and similar: answered from memory, always.
    Probe,
    /// `/api/v1` and `/federate`: may wait for other queries.
    Query,
    /// `/metrics`, `/queues` and everything else.
    Page,
}

impl Class {
    pub(in crate::admin) fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("healthz" | "livez" | "readyz"), _) | (Some("-"), Some("healthy" | "ready")) => {
                Self::Probe
            }
            (Some("api" | "federate"), _) => Self::Query,
            _ => Self::Page,
        }
    }
}

/// The places.
#[derive(Clone)]
pub(super) struct Places {
    queries: Arc<Semaphore>,
    pages: Arc<Semaphore>,
}

/// All places are taken.
pub(super) struct Busy;

impl Places {
    pub(super) fn new(queries: usize, pages: usize) -> Self {
        Self {
            queries: Arc::new(Semaphore::new(queries)),
            pages: Arc::new(Semaphore::new(pages)),
        }
    }

    /// A place for a request, if it needs one.
    pub(super) fn take(&self, class: Class) -> Result<Option<OwnedSemaphorePermit>, Busy> {
        let places = match class {
            Class::Probe => return Ok(None),
            Class::Query => &self.queries,
            Class::Page => &self.pages,
        };
        let place = Arc::clone(places).try_acquire_owned();
        place.map(Some).map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_follows_from_the_path() {
        for path in [
            "/healthz",
            "/healthz/",
            "/livez",
            "/readyz",
            "/readyz/database",
            "/-/healthy",
            "/-/ready",
        ] {
            assert_eq!(Class::of(path), Class::Probe, "{path}");
        }
        for path in [
            "/api/v1/query",
            "/api/v1/label/x/values",
            "/api",
            "/federate",
        ] {
            assert_eq!(Class::of(path), Class::Query, "{path}");
        }
        for path in [
            "/metrics",
            "/",
            "",
            "*",
            "/healthzz",
            "/x/readyz",
            "/-/quit",
        ] {
            assert_eq!(Class::of(path), Class::Page, "{path}");
        }
    }
}
