//! The routes of a gateway, for other parts of the program.

use std::sync::Arc;

use crate::record::Metrics;
use crate::routes::{Limits, Requests, RouteList, RouteOrigin, Routes, Saved, SavedError};

/// The routes of a gateway: configured, learned and failing ones. Clones share them.
#[derive(Clone)]
pub struct KnownRoutes(Arc<Metrics>);

impl KnownRoutes {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        Self(Arc::clone(metrics))
    }

    /// All of them with their requests, and what was folded into `<other>`.
    #[must_use]
    pub fn list(&self) -> RouteList {
        self.0.routes.list(&self.0.requests())
    }

    /// The learned routes and the existing series, as a text for [`restore`](Self::restore).
    #[must_use]
    pub fn save(&self) -> String {
        self.0.routes.save(self.0.series()).encode()
    }

    /// Restores the text of an earlier gateway: its routes are known at once, and its series exist and are 0.
    ///
    /// # Errors
    /// When the text is not one that a gateway saved.
    pub fn restore(&self, saved: &[u8]) -> Result<(), SavedError> {
        let saved = Saved::decode(saved)?;
        self.0.routes.restore(&saved, self.0.since_start());
        self.0.restore(&saved.series);
        Ok(())
    }
}

/// A saved text, read without a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRoutes {
    /// How many routes were learned.
    pub learned: usize,
    /// How many routes only failed.
    pub failing: usize,
    /// The patterns, of those given, that no request had matched.
    pub unrequested: Vec<String>,
}

impl SavedRoutes {
    /// Reads what [`KnownRoutes::save`] wrote.
    ///
    /// # Errors
    /// When the text is not one that a gateway saved.
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
