//! Assembles the program from the settings and its edges, and runs it.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
use crate::election;
use crate::history::{self, Current, Scraper};
use crate::missing_tick::MissingTick;
use crate::process;
use crate::queues::QueueCounts;
use crate::routes_file::{self, Keeper};
use vigie_config::{Check, Settings};

/// How long the last samples may take to be written at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The listeners and the clock of the program. Tests pass listeners on port 0.
pub struct Edges {
    /// The listener of `/metrics` and the probes.
    pub admin: TcpListener,
    /// The listener of the gateway, if it is configured.
    pub gateway: Option<TcpListener>,
    /// The wall clock.
    pub clock: Clock,
}

impl Edges {
    /// Binds the configured addresses.
    ///
    /// # Errors
    /// If an address cannot be bound.
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

/// The assembled program, not yet running.
pub struct App {
    admin: TcpListener,
    router: axum::Router,
    gateway: Option<(Gateway, TcpListener)>,
    watcher: Option<Watcher>,
    candidate: Option<Candidate>,
    checks: Checks,
    scraper: Scraper,
    current: Current,
    missing_tick: Option<MissingTick>,
    history: vigie_history::Settings,
    routes_file: Option<PathBuf>,
    shutdown: vigie_config::Shutdown,
    registry: Registry,
}

impl App {
    /// Assembles the program. Does not connect to anything yet, and does not read the history.
    ///
    /// # Errors
    /// If a URL or a route cannot be used.
    pub fn build(settings: &Settings, edges: Edges) -> Result<Self> {
        let registry = Registry::new();
        process::register(&registry);
        let candidate = election::candidate(settings)?;
        let watcher = settings.redis.clone();
        let watcher = watcher.map(|redis| Watcher::new(redis, &registry));
        if watcher.is_some() {
            election::expose(&registry, candidate.as_ref().map(Candidate::tenure));
        }
        let gateway = match (&settings.gateway, edges.gateway) {
            (Some(gateway), Some(listener)) => {
                Some((Gateway::new(gateway.proxy.clone(), &registry)?, listener))
            }
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
            gateway.as_ref().map(|(gateway, _)| gateway.routes()),
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
            current: history,
            routes_file: settings
                .gateway
                .as_ref()
                .and_then(|gateway| gateway.routes_file.clone()),
            missing_tick: MissingTick::new(settings, &registry),
            history: settings.history.clone(),
            shutdown: settings.shutdown.clone(),
            registry,
        })
    }

    /// The registry of metrics, for code in the same process.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Runs until `stop`, then drains: becomes not ready, refuses new connections, finishes open requests.
    ///
    /// # Errors
    /// If a listener or the directory of the history cannot be used.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let background = CancellationToken::new();
        let tasks = TaskTracker::new();

        // The gateway comes first: it must forward requests even if the rest is slow to start.
        let routes = match &self.gateway {
            Some((gateway, _)) => {
                keep_routes(
                    gateway,
                    self.routes_file,
                    &self.history,
                    self.current.clone(),
                )
                .await?
            }
            None => None,
        };
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

        // Before the first query can arrive, so that the history has samples from the start.
        let scraper = self.scraper.scrape_once().await;
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
        if let Some(missing_tick) = self.missing_tick {
            tasks.spawn(missing_tick.run(background.clone()));
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
        if let Some(routes) = routes {
            routes.stop().await;
        }
        background.cancel();
        tasks.wait().await;
        self.current.flushed(FLUSH_TIMEOUT).await;
        info!("stopped");
        ended
    }
}

/// Restores the learned routes, and saves them periodically if they have a file.
async fn keep_routes(
    gateway: &Gateway,
    file: Option<PathBuf>,
    history: &vigie_history::Settings,
    current: Current,
) -> Result<Option<Keeper>> {
    // The history refuses a directory with foreign files, so it must claim its directory first.
    let is_configured = file.is_some();
    let is_ready = move || is_configured || current.loaded().is_some();
    let Some(path) = routes_file::path(file, history.path.as_deref()) else {
        return Ok(None);
    };
    let started = Keeper::start(path, gateway.routes(), is_ready).await;
    let keeper = started.context("cannot start the thread that saves the learned routes")?;
    Ok(Some(keeper))
}

async fn drain(gateway: Running, grace: Duration) {
    let drained = tokio::task::spawn_blocking(move || gateway.drain(grace)).await;
    if drained.is_err() {
        warn!("the gateway did not drain in order");
    }
}

/// The check of the database; also used by `vigie check`.
pub(crate) fn database_check(database: &vigie_config::Database) -> Result<probes::Sql> {
    let check = probes::Sql::new("database", database.url.expose_secret());
    let check = check.context("database.url")?;
    Ok(check.relogin_every(database.relogin_every))
}

/// The check of Redis; also used by `vigie check`.
pub(crate) fn redis_check(redis: &vigie_bullmq::Settings) -> probes::Redis {
    probes::Redis::at("redis", login_database(redis))
}

/// The database that the address names, or else the first one that is watched.
pub(crate) fn login_database(redis: &vigie_bullmq::Settings) -> Endpoint {
    let first = redis.databases.first().copied();
    redis.redis.clone().or_in_database(first)
}

/// The check of the app; also used by `vigie check`.
pub(crate) fn app_check(
    gateway: &vigie_config::Gateway,
    checks: &vigie_config::Checks,
) -> Result<probes::App> {
    let app = probes::App::new("app", &format!("http://{}", gateway.proxy.app));
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
        builder = builder.check(redis_check(redis), how(every.redis, None));
    }
    if let Some(watcher) = watcher {
        let stale_after = every.period + every.timeout;
        let counts = QueueCounts::new(watcher.clone(), stale_after);
        // In a cluster a queue may be on another node than the one in the reason of the check.
        let is_cluster = settings
            .redis
            .as_ref()
            .is_some_and(|redis| redis.redis.is_cluster());
        let server = (!is_cluster).then_some("redis");
        builder = builder.source(Arc::new(counts), every.queues.required, server);
    }
    if let Some(gateway) = &settings.gateway {
        builder = builder.check(app_check(gateway, every)?, how(every.app, Some("app")));
    }
    for exposed in &settings.exposed {
        warn!("{exposed}");
    }
    for vigie_config::Unusable { check, reason, .. } in &settings.unusable {
        error!(check, %reason, "a setting cannot be used; Vigie runs and the check fails");
    }
    // A check that could be built reports the reason itself, and recovers once its files can be read.
    let missing = [
        (settings.database.is_none(), "database", every.database),
        (settings.redis.is_none(), "redis", every.redis),
    ];
    for (_, name, check) in missing.into_iter().filter(|(is_missing, ..)| *is_missing) {
        let mut unusable = settings.unusable.iter();
        if let Some(found) = unusable.find(|unusable| unusable.check == name) {
            builder = builder.check(unusable_check(name, found), how(check, None));
        }
    }
    for section in settings.unwatched() {
        info!(section, "not configured, so not watched");
        builder = builder.unwatched(section);
    }
    Ok(builder.build(registry))
}

/// A check that fails with the reason. If a file with an address is the cause, it is read again until it can be used.
fn unusable_check(name: &'static str, found: &vigie_config::Unusable) -> probes::Unusable {
    let failing = probes::Unusable::new(name, &found.reason);
    let Some(file) = found.file.clone() else {
        return failing;
    };
    failing.retry(move || {
        let address = vigie_config::secret_file(&file)?;
        if name != "database" {
            let place = file.display();
            return Err(format!(
                "{place} can be read now; restart Vigie to watch the Redis that it names"
            ));
        }
        let check = probes::Sql::new(name, &address);
        Ok(Box::new(check.map_err(|error| error.to_string())?))
    })
}

fn access(admin: &vigie_config::Admin, address: SocketAddr) -> admin::Access {
    use vigie_config::Access;
    let credentials = match &admin.access {
        Access::Open => return admin::Access::Open(Hosts::new(address, &admin.hosts)),
        Access::Bearer(token) => Credentials::bearer(token.clone()),
        Access::Basic { username, password } => Credentials::basic(username, password),
    };
    admin::Access::Restricted(credentials)
}
