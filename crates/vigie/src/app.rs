//! Assembles the program from the settings and its edges, and runs it.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::http::uri::{Scheme, Uri};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use vigie_bullmq::Watcher;
use vigie_capture::{RingError, Source};
use vigie_election::Candidate;
use vigie_gateway::{Gateway, Running};
use vigie_metrics::Registry;
use vigie_probes::{Checks, Clock};
use vigie_traffic::{KnownRoutes, Traffic};

use crate::admin::{self, Cookies, Credentials, Further, Hosts, Queues, Routes};
use crate::alerting::{self, Alerting, Reloader};
use crate::api::api;
use crate::checks;
use crate::election;
use crate::history::{self, Current, Scraper};
use crate::missing_tick::MissingTick;
use crate::process;
use crate::routes_file::{self, Keeper};
use vigie_config::Settings;

/// The longest time that the program takes to stop, which a supervisor must allow.
#[must_use]
pub fn stops_within(settings: &Settings) -> Duration {
    let gateway = match settings.gateway {
        Some(_) => settings.shutdown.grace + routes_file::SAVE_WITHIN,
        None if settings.capture.is_some() => routes_file::SAVE_WITHIN,
        None => Duration::ZERO,
    };
    settings.shutdown.delay + gateway + alerting::STOPS_WITHIN + FLUSH_TIMEOUT
}

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
                .map(|gateway| {
                    let (address, threads) = (gateway.listen, gateway.proxy.threads);
                    let bound = vigie_gateway::bind_for(address, threads);
                    bound.with_context(|| cannot_listen(address, "gateway.listen"))
                })
                .transpose()?,
            clock: Clock::system(),
        })
    }
}

fn listen(address: SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| cannot_listen(address, key))
}

fn cannot_listen(address: SocketAddr, key: &str) -> String {
    format!("cannot listen on {address} ({key})")
}

/// The assembled program, not yet running.
pub struct App {
    admin: TcpListener,
    router: axum::Router,
    gateway: Option<(Gateway, TcpListener)>,
    capture: Option<(vigie_capture::Settings, Traffic)>,
    watcher: Option<Watcher>,
    candidate: Option<Candidate>,
    checks: Checks,
    scraper: Scraper,
    alerting: Alerting,
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
    /// If a URL or a route cannot be used, or a rule file has mistakes.
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
        let capture = match &settings.capture {
            // The thread of the capture expires sessions every few milliseconds.
            Some(capture) => {
                let traffic = Traffic::new(&capture.traffic, &registry, || {})?;
                Some((capture.source.clone(), traffic))
            }
            None => None,
        };
        let checks = checks::build(settings, watcher.as_ref(), edges.clock.clone(), &registry)?;
        let history = Current::in_memory(&settings.history)?;
        let address = edges.admin.local_addr()?;
        let instance = address.to_string();
        let scraper = Scraper::new(&registry, &history, instance, edges.clock.clone());
        let rules = alerting::Edges {
            registry: &registry,
            history: &history,
            address,
            clock: &edges.clock,
            notifier: None,
            tenure: candidate.as_ref().map(Candidate::tenure),
        };
        let alerting = Alerting::build(settings, rules)?;
        let reloader = settings.alerts.reload.then(|| alerting.reloader());
        let (protected, mut open) = alerting.routes();
        if settings.page.public {
            open = open.merge(admin::public::router(checks.clone(), alerting.alerts()));
        }
        let further = Further {
            protected: protected
                .merge(alerting::lifecycle::router(reloader))
                .merge(admin::dashboards::router(&settings.page, &registry))
                .merge(admin::functions::router(settings.query.features)),
            open,
        };
        let router = admin::router(
            registry.clone(),
            checks.clone(),
            shown_routes(gateway.as_ref(), capture.as_ref()),
            Queues {
                watcher: watcher.clone(),
                link: settings.page.queue_link.clone(),
            },
            api(
                &history,
                &registry,
                &alerting.published(),
                &settings.query,
                edges.clock.clone(),
            ),
            further,
            access(settings, address),
        );
        Ok(Self {
            admin: edges.admin,
            router,
            gateway,
            capture,
            watcher,
            candidate,
            checks,
            scraper,
            alerting,
            current: history,
            routes_file: routes_file(settings),
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

    /// The way to request that the rule files are read again.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        self.alerting.reloader()
    }

    /// Runs until `stop`, then drains: becomes not ready, refuses new connections, finishes open requests.
    ///
    /// # Errors
    /// If a listener or the directory of the history cannot be used.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let background = CancellationToken::new();
        let tasks = TaskTracker::new();

        // The gateway comes first: it must forward requests even if the rest is slow to start.
        let routes = match routes(self.gateway.as_ref(), self.capture.as_ref()) {
            Some(routes) => {
                let current = self.current.clone();
                keep_routes(routes, self.routes_file, &self.history, current).await?
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

        let capture = match self.capture {
            Some((settings, traffic)) => Some(start_capture(&settings, traffic, &self.registry)?),
            None => None,
        };

        // Before the first query can arrive, so that the history has samples from the start.
        let scraper = self.scraper.scrape_once().await;
        let loading = history::load(&self.history)?;
        let (hand_over, loaded) = oneshot::channel();
        let alerting = self.alerting;
        let alerting = alerting.run(scraper.scrapes(), tasks.clone(), background.clone());
        let (fail, failed) = oneshot::channel();
        tasks.spawn(async move {
            if let Err(error) = alerting.await {
                // The receiver is dropped once the program is stopping.
                let _ = fail.send(error);
            }
        });
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
        let mistaken = async {
            match failed.await {
                Ok(error) => error,
                Err(_) => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(()),
            error = unusable => Err(error),
            error = mistaken => Err(error),
        };
        info!(grace = ?self.shutdown.grace, "draining");
        self.checks.drain();
        tokio::time::sleep(self.shutdown.delay).await;
        if let Some(gateway) = gateway {
            drain(gateway, self.shutdown.grace).await;
        }
        if let Some(capture) = capture {
            stop_capture(capture).await;
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
    routes: KnownRoutes,
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
    let started = Keeper::start(path, routes, is_ready).await;
    let keeper = started.context("cannot start the thread that saves the learned routes")?;
    Ok(Some(keeper))
}

/// The routes of the source of the requests.
fn routes(
    gateway: Option<&(Gateway, TcpListener)>,
    capture: Option<&(vigie_capture::Settings, Traffic)>,
) -> Option<KnownRoutes> {
    let captured = capture.map(|(_, traffic)| traffic.routes());
    gateway.map(|(gateway, _)| gateway.routes()).or(captured)
}

/// The routes with the section of their source.
fn shown_routes(
    gateway: Option<&(Gateway, TcpListener)>,
    capture: Option<&(vigie_capture::Settings, Traffic)>,
) -> Option<Routes> {
    let section = match capture {
        Some(_) => "capture",
        None => "gateway",
    };
    let known = routes(gateway, capture)?;
    Some(Routes { known, section })
}

fn routes_file(settings: &Settings) -> Option<PathBuf> {
    let gateway = settings.gateway.as_ref();
    let gateway = gateway.and_then(|gateway| gateway.routes_file.clone());
    let capture = settings.capture.as_ref();
    gateway.or_else(|| capture.and_then(|capture| capture.routes_file.clone()))
}

fn start_capture(
    settings: &vigie_capture::Settings,
    traffic: Traffic,
    registry: &Registry,
) -> Result<Source> {
    Source::start(settings, traffic, registry).map_err(|error| match error {
        RingError::NotPermitted => anyhow!("capture.listen: {error}; {}", vigie_capture::GRANTS),
        error => anyhow!(error).context("capture.listen"),
    })
}

async fn stop_capture(capture: Source) {
    if tokio::task::spawn_blocking(move || capture.stop())
        .await
        .is_err()
    {
        warn!("the capture did not stop in order");
    }
}

async fn drain(gateway: Running, grace: Duration) {
    // On a busy machine the thread that waits may start late.
    gateway.begin_draining();
    let drained = tokio::task::spawn_blocking(move || gateway.drain(grace)).await;
    if drained.is_err() {
        warn!("the gateway did not drain in order");
    }
}

fn access(settings: &Settings, address: SocketAddr) -> admin::Access {
    use vigie_config::Access;
    let admin = &settings.admin;
    let credentials = match &admin.access {
        Access::Open => return admin::Access::Open(Hosts::new(address, &admin.hosts)),
        Access::Bearer(token) => Credentials::bearer(token.clone()),
        Access::Basic { username, password } => Credentials::basic(username, password),
    };
    let external = settings.page.external_url.as_ref();
    let external = external.and_then(|url| url.parse::<Uri>().ok());
    let gateway = settings.gateway.as_ref().map(|gateway| &gateway.proxy);
    let proxies = gateway.map_or_else(
        || vigie_gateway::Settings::new("").trusted_proxies,
        |proxy| proxy.trusted_proxies.clone(),
    );
    let cookies = Cookies {
        name: format!("vigie_session_{}", address.port()),
        external: external.and_then(|url| {
            let is_secure = url.scheme() == Some(&Scheme::HTTPS);
            Some((url.authority()?.to_string(), is_secure))
        }),
        is_proxy: Box::new(move |peer| proxies.iter().any(|network| network.contains(&peer))),
    };
    admin::Access::Restricted(credentials, cookies)
}
