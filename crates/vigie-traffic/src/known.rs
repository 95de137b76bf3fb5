//! The routes of an app, for other parts of the program.

use std::sync::Arc;
use std::time::Duration;

use crate::record::Metrics;
use crate::routes::{Limits, Requests, RouteList, RouteOrigin, Routes, Saved, SavedError};

/// The routes of an app: configured, learned and failing ones. Clones share them.
#[derive(Clone)]
pub struct KnownRoutes(Arc<Metrics>);

impl KnownRoutes {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        Self(Arc::clone(metrics))
    }

    /// All routes with their request counts, and the templates folded into `<other>`.
    #[must_use]
    pub fn list(&self) -> RouteList {
        self.0.routes.list(&self.0.requests())
    }

    /// Serializes the learned routes and the existing series, for [`restore`](Self::restore).
    #[must_use]
    pub fn save(&self) -> String {
        self.0.routes.save(self.0.series()).encode()
    }

    /// Restores the routes of an earlier run: they are learned immediately, and their series exist with the value 0.
    ///
    /// # Errors
    /// If the text was not written by [`save`](Self::save).
    pub fn restore(&self, saved: &[u8]) -> Result<(), SavedError> {
        let saved = Saved::decode(saved)?;
        self.0.routes.restore(&saved, Duration::ZERO);
        self.0.restore(&saved.series);
        Ok(())
    }
}

/// The content of a saved text, read without traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRoutes {
    /// The number of learned routes.
    pub learned: usize,
    /// The number of failing routes.
    pub failing: usize,
    /// The given patterns that no request had matched.
    pub unrequested: Vec<String>,
}

impl SavedRoutes {
    /// Parses the output of [`KnownRoutes::save`].
    ///
    /// # Errors
    /// If the text was not written by it.
    pub fn read(saved: &[u8], patterns: &[String]) -> Result<Self, SavedError> {
        let saved = Saved::decode(saved)?;
        let requests = saved.series.iter().map(|[method, _, route]| {
            let key = (method.clone(), route.clone());
            (key, 1)
        });
        let requests: Requests = requests.collect();
        let routes = Routes::new(patterns, Limits::default()).ok();
        let list = routes.map(|routes| routes.list(&requests));
        let configured = list.unwrap_or_default().routes.into_iter();
        let unrequested = configured
            .filter(|route| route.origin == RouteOrigin::Configured && route.requests == 0)
            .map(|route| route.pattern);
        Ok(Self {
            learned: saved.learned(),
            failing: saved.failing(),
            unrequested: unrequested.collect(),
        })
    }
}
