//! The program put together: from settings and edges to something that runs.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use secrecy::ExposeSecret as _;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};
use vigie_bullmq::Watcher;
use vigie_election::Candidate;
use vigie_gateway::{Gateway, Running};
use vigie_metrics::Registry;
use vigie_probes::{self as probes, Checks, Clock};
use vigie_redis::Endpoint;

use crate::admin::{self, Credentials, Hosts};
use crate::api::api;
use crate::config::{self, Check, Settings};
use crate::election;
use crate::history::{self, Current, Scraper};
use crate::process;
use crate::queues::QueueCounts;

/// Where the program meets the world. Tests bring listeners on port 0.
pub struct Edges {
    /// Where `/metrics` and the probes are served.
    pub admin: TcpListener,
    /// Where the gateway serves, when there is one.
    pub gateway: Option<TcpListener>,
    /// What time it is.
    pub clock: Clock,
}

impl Edges {
    /// Listens where the settings say.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub fn bind(settings: &Settings) -> Result<Self> {
        let gateway = settings.gateway.as_ref();
        Ok(Self {
            admin: listen(settings.admin.listen, "admin.listen")?,
            gateway: gateway
                .map(|gateway| listen(gateway.listen, "gateway.listen"))
                .transpose()?,
            clock: Clock::system(),
        })
    }
}

fn listen(address: SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address} ({key})"))
}

/// Vigie, built and not yet running.
pub struct App {
    admin: TcpListener,
    router: axum::Router,
    gateway: Option<(Gateway, TcpListener)>,
    watcher: Option<Watcher>,
    candidate: Option<Candidate>,
    checks: Checks,
    scraper: Scraper,
    history: vigie_history::Settings,
    shutdown: config::Shutdown,
    registry: Registry,
}

impl App {
    /// Puts everything together. Connects to nothing yet, and reads no history.
    ///
    /// # Errors
    /// When a URL or a route is not usable after all.
    pub fn build(settings: &Settings, edges: Edges) -> Result<Self> {
        let registry = Registry::new();
        process::register(&registry);
        let candidate = election::candidate(settings)?;
        let watcher = settings
            .redis
            .as_ref()
            .map(|redis| watcher(redis, settings, &registry))
            .transpose()?;
        if watcher.is_some() {
            election::expose(&registry, candidate.as_ref().map(Candidate::tenure));
        }
        let gateway = match (&settings.gateway, edges.gateway) {
            (Some(gateway), Some(listener)) => Some((
                Gateway::new(gateway_settings(gateway), &registry)?,
                listener,
            )),
            _ => None,
        };
        let checks = checks(settings, watcher.as_ref(), edges.clock.clone(), &registry)?;
        let history = Current::in_memory(&settings.history)?;
        let address = edges.admin.local_addr()?;
        let instance = address.to_string();
        let scraper = Scraper::new(&registry, &history, instance, edges.clock.clone());
        let router = admin::router(
            registry.clone(),
            checks.clone(),
            gateway
                .as_ref()
                .map(|(gateway, _)| gateway.learned_routes()),
            watcher.clone(),
            api(&history, &registry, &settings.query, edges.clock.clone()),
            access(&settings.admin, address),
        );
        Ok(Self {
            admin: edges.admin,
            router,
            gateway,
            watcher,
            candidate,
            checks,
            scraper,
            history: settings.history.clone(),
            shutdown: settings.shutdown.clone(),
            registry,
        })
    }

    /// What is known, for those in the same process.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Runs until `stop`, then drains: not ready first, then no new connections, then open requests.
    ///
    /// # Errors
    /// When a listener cannot be used, or the directory of the history cannot.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let background = CancellationToken::new();
        let tasks = TaskTracker::new();

        // First of all: whatever holds up the rest, requests pass.
        let gateway = match self.gateway {
            Some((gateway, listener)) => {
                let started = gateway.start(listener);
                Some(started.context("cannot serve (gateway.listen)")?)
            }
            None => None,
        };
        if let Some(gateway) = &gateway {
            info!(address = %gateway.address(), "gateway");
        }

        // Before anybody can ask: what is known has a history from the beginning.
        let scraper = self.scraper.scraped().await;
        let loading = history::load(&self.history)?;
        let (hand_over, loaded) = oneshot::channel();
        tasks.spawn(scraper.run(loading.is_some().then_some(loaded), background.clone()));

        let unusable_port = "cannot serve (admin.listen)";
        let address = self.admin.local_addr().context(unusable_port)?;
        let nonblocking = self.admin.set_nonblocking(true);
        let admin = nonblocking.and_then(|()| tokio::net::TcpListener::from_std(self.admin));
        let admin = admin.context(unusable_port)?;
        tasks.spawn(admin::serve(
            admin,
            self.router,
            self.registry,
            background.clone(),
        ));
        info!(%address, "admin port: /metrics /healthz /readyz /api/v1");

        if let Some(watcher) = self.watcher {
            tasks.spawn(watcher.run(background.clone()));
        }
        if let Some(candidate) = self.candidate {
            tasks.spawn(candidate.run(background.clone()));
        }
        let checks = self.checks.clone();
        let until = background.clone();
        tasks.spawn(async move { checks.run(until).await });
        tasks.close();

        let unusable = async {
            let Some(history) = loading else {
                return std::future::pending().await;
            };
            match history.await {
                Ok(Ok(history)) => drop(hand_over.send(history)),
                Ok(Err(error)) => return error,
                Err(_) => return anyhow!("history.path: the thread that loads it is gone"),
            }
            std::future::pending().await
        };
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(()),
            error = unusable => Err(error),
        };
        info!(grace = ?self.shutdown.grace, "draining");
        self.checks.drain();
        tokio::time::sleep(self.shutdown.delay).await;
        if let Some(gateway) = gateway {
            drain(gateway, self.shutdown.grace).await;
        }
        background.cancel();
        tasks.wait().await;
        info!("stopped");
        ended
    }
}

async fn drain(gateway: Running, grace: std::time::Duration) {
    let drained = tokio::task::spawn_blocking(move || gateway.drain(grace)).await;
    if drained.is_err() {
        warn!("the gateway did not drain in order");
    }
}

fn gateway_settings(from: &config::Gateway) -> vigie_gateway::Settings {
    let mut settings = vigie_gateway::Settings::new(from.app.as_str());
    settings.threads = from.threads;
    settings.routes.clone_from(&from.routes);
    settings.learned_routes = from.learned_routes;
    settings.count_client_errors = from.count_client_errors;
    settings.trusted_proxies.clone_from(&from.trusted_proxies);
    settings.header_timeout = from.header_timeout;
    settings.max_headers = from.max_headers;
    settings.max_header_bytes = from.max_header_bytes;
    settings.connect_timeout = from.connect_timeout;
    settings.response_timeout = from.response_timeout;
    settings.body_timeout = from.body_timeout;
    settings.keep_alive = from.keep_alive;
    settings.max_connections = from.max_connections;
    settings.max_sessions = from.max_sessions;
    settings
}

pub(crate) fn endpoint(redis: &config::Redis) -> Result<Endpoint> {
    Endpoint::new(redis.url.expose_secret(), redis.tls.clone()).context("redis.url")
}

/// What the watcher is told, also by `vigie check`.
pub(crate) fn watcher_settings(
    redis: &config::Redis,
    tick: Option<&config::Tick>,
) -> Result<vigie_bullmq::Settings> {
    let mut settings = vigie_bullmq::Settings::new(endpoint(redis)?);
    settings.tick = tick.map(|tick| vigie_bullmq::Tick {
        queue: tick.queue.clone(),
        job: tick.job.clone(),
    });
    settings.databases.clone_from(&redis.databases);
    settings.levels_every = redis.levels_every;
    settings.poll_every = redis.poll_every;
    settings.discover_every = redis.discover_every;
    settings.timeout = redis.timeout;
    settings.max_queues = redis.max_queues;
    Ok(settings)
}

fn watcher(redis: &config::Redis, settings: &Settings, registry: &Registry) -> Result<Watcher> {
    let mut watched = watcher_settings(redis, settings.tick.as_ref())?;
    watched.compatible = settings.queues.compatible;
    Ok(Watcher::new(watched, registry))
}

/// The check of the database, also for `vigie check`.
pub(crate) fn database_check(database: &config::Database) -> Result<probes::Sql> {
    let check = probes::Sql::new("database", database.url.expose_secret());
    let check = check.context("database.url")?;
    Ok(check.relogin_every(database.relogin_every))
}

/// Whether it is a cluster that is watched.
pub(crate) fn is_cluster(redis: &config::Redis) -> Result<bool> {
    Ok(endpoint(redis)?.is_cluster())
}

/// The check of Redis, also for `vigie check`.
pub(crate) fn redis_check(redis: &config::Redis) -> Result<probes::Redis> {
    let first = redis.databases.first().copied();
    let endpoint = endpoint(redis)?.or_in_database(first);
    Ok(probes::Redis::at("redis", endpoint))
}

/// The check of the app, also for `vigie check`.
pub(crate) fn app_check(gateway: &config::Gateway, checks: &config::Checks) -> Result<probes::App> {
    let app = probes::App::new("app", &format!("http://{}", gateway.app));
    let app = app.context("gateway.app")?;
    Ok(app.asks(checks.app_request.clone()))
}

fn checks(
    settings: &Settings,
    watcher: Option<&Watcher>,
    clock: Clock,
    registry: &Registry,
) -> Result<Checks> {
    let every = &settings.checks;
    let how = |check: Check, source| probes::Settings {
        required: check.required,
        period: every.period,
        timeout: every.timeout,
        source,
    };
    let mut builder = Checks::builder(clock);
    if let Some(database) = &settings.database {
        let check = database_check(database)?;
        builder = builder.check(check, how(every.database, Some("database")));
    }
    if let Some(redis) = &settings.redis {
        builder = builder.check(redis_check(redis)?, how(every.redis, None));
    }
    if let Some(watcher) = watcher {
        let stale_after = every.period + every.timeout;
        let counts = QueueCounts::new(watcher.clone(), stale_after);
        builder = builder.source(Arc::new(counts), every.queues.required);
    }
    if let Some(gateway) = &settings.gateway {
        builder = builder.check(app_check(gateway, every)?, how(every.app, Some("app")));
    }
    for exposed in &settings.exposed {
        warn!("{exposed}");
    }
    for config::Unusable { check, reason } in &settings.unusable {
        error!(check, %reason, "a setting cannot be used; Vigie runs and the check fails");
    }
    // A check that could be built reports the reason itself, and recovers when its files become readable.
    let missing = [
        (settings.database.is_none(), "database", every.database),
        (settings.redis.is_none(), "redis", every.redis),
    ];
    for (_, name, check) in missing.into_iter().filter(|(is_missing, ..)| *is_missing) {
        let mut unusable = settings.unusable.iter();
        if let Some(found) = unusable.find(|unusable| unusable.check == name) {
            let failing = probes::Unusable::new(name, &found.reason);
            builder = builder.check(failing, how(check, None));
        }
    }
    for section in settings.unwatched() {
        info!(section, "not configured, so not watched");
        builder = builder.unwatched(section);
    }
    Ok(builder.build(registry))
}

fn access(admin: &config::Admin, address: SocketAddr) -> admin::Access {
    use config::Access;
    let credentials = match &admin.access {
        Access::Open => return admin::Access::Open(Hosts::new(address, &admin.hosts)),
        Access::Bearer(token) => Credentials::bearer(token.clone()),
        Access::Basic { username, password } => Credentials::basic(username, password),
    };
    admin::Access::Restricted(credentials)
}
