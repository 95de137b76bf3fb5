//! The state that all connections of one app share.

use std::sync::Arc;
use std::time::Duration;

use vigie_metrics::Registry;

use crate::engineio::{self, EngineIo};
use crate::known::KnownRoutes;
use crate::record::Metrics;
use crate::routes::{self, PatternError, Routes, Unrequested};
use crate::streams;
use crate::{Limits, Observed};

/// The settings of the traffic of one app.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Route patterns, matched before learned routes: `[METHOD] /users/:id`, `{id}`, a trailing `*`.
    pub routes: Vec<String>,
    /// The maximum number of learned routes.
    pub learned_routes: usize,
    /// Whether codes from 400 to 499 also count as errors.
    pub count_client_errors: bool,
    /// The media types of streams, whose duration is not recorded. A trailing `*` stands for any ending.
    pub streams: Vec<String>,
    /// The routes whose successful responses are streams, as patterns like those of `routes`.
    pub stream_routes: Vec<String>,
    /// A response with a longer `Content-Length` is a stream.
    pub stream_bytes: u64,
    /// The maximum number of tracked Engine.IO sessions.
    pub max_sessions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            learned_routes: 200,
            count_client_errors: false,
            streams: streams::DEFAULTS.map(str::to_owned).to_vec(),
            stream_routes: Vec::new(),
            stream_bytes: streams::LARGE,
            max_sessions: 50_000,
        }
    }
}

/// The routes, metrics and sessions of one app. Clones share them.
///
/// All times are since one origin, which the caller chooses.
#[derive(Clone)]
pub struct Traffic {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) engineio: EngineIo,
}

impl Traffic {
    /// Records into `registry`. `wake` is called when [`expire`](Self::expire) becomes necessary: at the first session that
    /// can expire.
    ///
    /// # Errors
    /// If a configured route pattern is invalid.
    pub fn new(
        settings: &Settings,
        registry: &Registry,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, PatternError> {
        let limits = routes::Limits {
            max_routes: settings.learned_routes,
            ..routes::Limits::default()
        };
        let routes = Routes::new(&settings.routes, limits)?;
        let limits = engineio::Limits {
            max_sessions: settings.max_sessions,
            ..engineio::Limits::default()
        };
        Ok(Self {
            metrics: Arc::new(Metrics::new(
                registry,
                routes,
                streams::Rules::new(settings)?,
                settings.count_client_errors,
            )),
            engineio: EngineIo::new(registry, limits, Box::new(wake)),
        })
    }

    /// A new connection to the app.
    #[must_use]
    pub fn connection(&self, limits: Limits) -> Observed {
        Observed::new(self, crate::Connection::new(limits))
    }

    /// A connection that exists already: it is ignored until [`Observed::resume`].
    #[must_use]
    pub fn unknown_connection(&self, limits: Limits) -> Observed {
        Observed::new(self, crate::Connection::unknown(limits))
    }

    /// Closes the Engine.IO sessions that their server has given up by now. Returns when the next one can expire; then, or
    /// every few milliseconds, this must be called again.
    #[must_use]
    pub fn expire(&self, now: Duration) -> Option<Duration> {
        self.engineio.expire(now)
    }

    /// When the next session can expire.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Duration> {
        self.engineio.next_deadline()
    }

    /// The routes; they change with the traffic.
    #[must_use]
    pub fn routes(&self) -> KnownRoutes {
        KnownRoutes::new(&self.metrics)
    }

    /// Removes the series of routes that others have replaced. Called every minute or so.
    pub fn remove_retired(&self) {
        self.metrics.remove_retired();
    }

    /// The configured patterns that no request has matched, once there is enough traffic to judge. Each is returned once.
    pub fn unrequested(&self, state: &mut Unrequested, now: Duration) -> Vec<String> {
        self.metrics.unrequested(state, now)
    }
}
