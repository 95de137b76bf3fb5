//! Evaluates the rules over the history, and passes alerts to the notifier.
//!
//! ```text
//! scrape ─► Scheduler ─► evaluation on a thread ─► history (recorded series, ALERTS)
//!               ▲ │             (Context)
//!  SIGHUP,      │ ├─► Published ─► /api/v1/rules, /metrics
//!  /-/reload ───┘ ├─► Outlet    ─► notifier, if this replica notifies
//!                 └─► State     ─► disk
//! ```

mod context;
mod engine;
mod files;
pub(crate) mod lifecycle;
mod links;
mod load;
pub mod metrics;
mod notifier;
mod outlet;
mod published;
mod receivers;
mod receiving;
mod recorder;
mod reloader;
mod room;
mod routes;
mod scheduler;
mod slot;
mod sources;
mod state;
mod worst;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};
use vigie_alerts::engine::{Group, Time};
use vigie_config::{Access, Settings};
use vigie_election::Tenure;
use vigie_metrics::Registry;
use vigie_probes::Clock;
use vigie_promql::Features;

pub use load::Mistakes;
use load::Rules;
pub(crate) use notifier::Notifier;
pub(crate) use published::Published;
pub(crate) use receivers::Notifications;
pub use receivers::Unusable;
pub use reloader::Reloader;
pub(crate) use room::places;
pub(crate) use scheduler::EVALUATORS;
pub(crate) use state::path as state_path;
pub(crate) use worst::{Alerts, Worst};

use crate::history::Current;
use files::{Files, Inputs, Loading};
use links::PageLinks;
use outlet::Outlet;
use published::{Shown, id};
use receiving::{Needs, Receiving};
use recorder::Recorder;
use reloader::Request;
use room::Room;
use routes::Routes;
use scheduler::{Parts, Scheduler, Shared};
use state::State;

/// The interval between checks whether the history is loaded.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The time after which a slow disk is reported.
const SLOW: Duration = Duration::from_secs(5);

/// The longest time that rules and then notifications take to stop.
pub(crate) const STOPS_WITHIN: Duration =
    scheduler::END.saturating_add(vigie_notify::service::STOPS_WITHIN);

/// The files in the directory of the state.
pub(crate) const STATE_FILES: [&str; 3] = [state::NAME, vigie_notify::service::FILE, links::NAME];

/// The rules, not yet evaluated.
pub(crate) struct Alerting {
    parts: Unstarted,
    reloads: mpsc::Receiver<Request>,
    reloader: Reloader,
}

/// The parts of the program that the rules use.
pub(crate) struct Edges<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) history: &'a Current,
    /// The address of the admin port.
    pub(crate) address: SocketAddr,
    pub(crate) clock: &'a Clock,
    /// Takes the place of the configured one.
    pub(crate) notifier: Option<Notifier>,
    /// Given if the replicas elect one that notifies.
    pub(crate) tenure: Option<Tenure>,
}

impl Alerting {
    /// Reads the files of rules and notifications. If they are not read soon, [`Self::run`] waits for them.
    ///
    /// # Errors
    /// All [`Mistakes`] in the rules, or an [`Unusable`] configuration of notifications.
    pub(crate) fn build(settings: &Settings, edges: Edges<'_>) -> Result<Self> {
        let alerts = &settings.alerts;
        let started = edges.clock.millis();
        let inputs = Inputs {
            alerts: Arc::new(alerts.clone()),
            features: settings.query.features,
            notify: Arc::new(settings.notify.clone()),
            defaults: engine::defaults(settings, edges.address),
        };
        let url = Arc::clone(&inputs.defaults.external_url);
        let late_from = watch::Sender::new(None);
        let needs = Needs {
            registry: edges.registry.clone(),
            clock: edges.clock.clone(),
            links: Arc::new(PageLinks::new(url, edges.clock.clone())),
            routes: Routes::default(),
            writes: !matches!(settings.admin.access, Access::Open),
            started,
            max_alerts: alerts.max_alerts,
            max_messages: settings.max_messages_per_minute,
            gate: outlet::gate(edges.tenure.as_ref()),
            heartbeat: settings.heartbeat.clone(),
            late_from: late_from.subscribe(),
        };
        let loading = Loading::begin(inputs.clone())?;
        let shared = Shared {
            inputs,
            settings: Arc::new(engine::context(settings, edges.address, started)),
            room: Room::new(alerts.max_alerts),
            timeout: settings.query.timeout,
            history: edges.history.clone(),
            clock: edges.clock.clone(),
            published: Published::default(),
            recorder: Recorder::new(edges.registry),
            late_from,
        };
        if let Some(files) = loading.read() {
            shared.recorder.reloaded(Some(started));
            for group in &files.groups {
                let shown = Shown::of(group, None, Duration::ZERO);
                shared.published.set(id(group), shown);
            }
        }
        let (reloader, reloads) = Reloader::new();
        let parts = Unstarted {
            loading,
            shared,
            needs,
            notifier: edges.notifier,
            tenure: edges.tenure,
            path: state::path(settings),
            address: settings.page.external_url.as_deref().map(Arc::from),
        };
        Ok(Self {
            parts,
            reloads,
            reloader,
        })
    }

    /// The rules as of their last evaluation.
    pub(crate) fn published(&self) -> Published {
        self.parts.shared.published.clone()
    }

    /// All alerts, for those who may not see them.
    pub(crate) fn alerts(&self) -> Alerts {
        Alerts::new(self.published(), self.parts.needs.routes.clone())
    }

    /// The routes of the notification service, with credentials and without.
    pub(crate) fn routes(&self) -> (axum::Router, axum::Router) {
        let routes = &self.parts.needs.routes;
        (routes.protected(), routes.open())
    }

    /// The way to request a reload.
    pub(crate) fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Evaluates the rules once the history is loaded, until `stop`. `scrapes` has the time of the last scrape.
    /// The tasks of the notifier are among `tasks`.
    ///
    /// # Errors
    /// The errors of [`Self::build`], if the files were read later.
    pub(crate) async fn run(
        self,
        scrapes: watch::Receiver<Time>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Result<()> {
        let notifying = CancellationToken::new();
        let parts = self.parts;
        let history = parts.shared.history.clone();
        let start = async {
            while history.loaded().is_none() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let notifier = (tasks.clone(), notifying.clone());
            let mut start =
                tokio::task::spawn_blocking(move || parts.start(&notifier.0, &notifier.1));
            let started = match tokio::time::timeout(SLOW, &mut start).await {
                Ok(started) => started,
                Err(_) => {
                    error!(
                        "the rule files or alerts.path take longer than {SLOW:?} to read; rules are evaluated once they are read"
                    );
                    start.await
                }
            };
            started.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        };
        let scheduler = tokio::select! {
            () = stop.cancelled() => {
                notifying.cancel();
                return Ok(());
            }
            scheduler = start => scheduler?,
        };
        scheduler.run(scrapes, self.reloads, stop).await;
        // The notifier ends after the rules, so that it receives their last changes.
        notifying.cancel();
        Ok(())
    }
}

/// The parts of the scheduler before the files are read.
struct Unstarted {
    loading: Loading,
    shared: Shared,
    needs: Needs,
    /// Takes the place of the configured one.
    notifier: Option<Notifier>,
    tenure: Option<Tenure>,
    /// The directory of the state.
    path: Option<PathBuf>,
    /// The external address, if it is configured.
    address: Option<Arc<str>>,
}

impl Unstarted {
    /// Starts the notifier, and restores the state of the rules. Blocks. The history must be loaded: the directory of the
    /// state can be below its own, which it must claim first.
    fn start(self, tasks: &TaskTracker, stop: &CancellationToken) -> Result<Scheduler> {
        let was_read = self.loading.read().is_some();
        let Files {
            groups,
            recorded,
            notifications,
        } = self.loading.finish()?;
        if !was_read {
            let now = self.shared.clock.millis();
            self.shared.recorder.reloaded(Some(now));
        }
        let directory = state::open(self.path.as_deref());
        let state = State::new(directory.clone(), self.path.is_some());
        let notifications = Receiving::new(notifications, self.needs);
        let notifier = self.notifier.unwrap_or_else(|| {
            let longest = groups.iter().map(Group::interval).max();
            notifications.start(longest, directory, tasks, stop)
        });
        let parts = Parts {
            shared: self.shared,
            outlet: Outlet::new(notifier, self.tenure, self.address),
            notifications,
        };
        let rules: usize = groups.iter().map(|group| group.rules().len()).sum();
        info!(groups = groups.len(), rules, "rules are evaluated");
        Ok(Scheduler::new(parts, groups, recorded, state))
    }
}

/// Rule files with their groups and rules, for `vigie check`, and the patterns that match no file.
pub(crate) fn summary(
    alerts: &vigie_config::Alerts,
    features: Features,
) -> Result<(String, Vec<String>), Mistakes> {
    let Rules { files, unmatched } = load::load(alerts, features)?;
    let groups: usize = files.iter().map(|file| file.rules.groups.len()).sum();
    let rules: usize = files.iter().map(|file| file.rules.rules().count()).sum();
    let text = format!("{} files, {groups} groups, {rules} rules", files.len());
    Ok((text, unmatched))
}

#[cfg(test)]
mod beside;
#[cfg(test)]
mod tests;
