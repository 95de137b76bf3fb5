//! The notifications of the program: its receivers, which a reload can replace, and the service or the forwarding that uses
//! them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};
use vigie_config::Heartbeat;
use vigie_metrics::Registry;
use vigie_notify::api::Configured;
use vigie_notify::deliver::{self, Failure, Sender};
use vigie_notify::dispatch::Plan;
use vigie_notify::forward::{self, Forwarder};
use vigie_notify::heartbeat::{self, Condition, Endpoint};
use vigie_notify::service::{self, Deliver, Handle, Service};
use vigie_notify::{Message, Time, api};
use vigie_probes::Clock;
use vigie_redis::redact;
use vigie_store::Directory;

use super::links::{self, PageLinks};
use super::notifier::{Notifier, evaluation};
use super::receivers::Notifications;
use super::room;
use super::routes::{Routers, Routes};

/// The parts of the program that the notifications use.
#[derive(Clone)]
pub(super) struct Needs {
    pub(super) registry: Registry,
    pub(super) clock: Clock,
    pub(super) links: Arc<PageLinks>,
    /// The routes of the service on the admin port.
    pub(super) routes: Routes,
    /// Whether clients may change silences and alerts: only if they must present credentials.
    pub(super) writes: bool,
    /// When the program started.
    pub(super) started: Time,
    pub(super) max_alerts: usize,
    /// The most messages to an integration in a minute.
    pub(super) max_messages: usize,
    /// Open while this replica notifies.
    pub(super) gate: service::Gate,
    /// The dead man's switch.
    pub(super) heartbeat: Option<Heartbeat>,
    /// The time from which the evaluation of a group is late.
    pub(super) late_from: watch::Receiver<Option<Time>>,
}

impl Needs {
    /// Calls the dead man's switch while rules are evaluated on time and no receiver fails.
    fn call(&self, healthy: watch::Receiver<bool>, tasks: &TaskTracker, stop: &CancellationToken) {
        let Some(heartbeat) = &self.heartbeat else {
            return;
        };
        let endpoint = match Endpoint::new(&heartbeat.url) {
            Ok(endpoint) => endpoint,
            Err(failure) => {
                error!(
                    error = failure.text,
                    "heartbeat.url cannot be used; it is not called"
                );
                return;
            }
        };
        let condition = Condition {
            late_from: self.late_from.clone(),
            healthy,
        };
        let clock = self.clock.clone();
        let now = move || clock.millis();
        let (every, stop) = (heartbeat.every, stop.clone());
        tasks.spawn(heartbeat::run(endpoint, every, condition, now, stop));
    }
}

/// The notifications of the program, whose receivers can be replaced. Clones share them.
#[derive(Clone)]
pub(super) struct Receiving {
    needs: Needs,
    current: Arc<RwLock<Current>>,
}

struct Current {
    notifications: Notifications,
    sender: Option<Arc<Sender>>,
    handle: Option<Handle>,
}

/// A configuration with what is made from it.
pub(super) struct Replacement {
    notifications: Notifications,
    sender: Option<Arc<Sender>>,
    plan: Option<Plan>,
}

impl Receiving {
    /// The notifications of this configuration.
    pub(super) fn new(notifications: Notifications, needs: Needs) -> Self {
        let current = Current {
            sender: sender(&notifications, &needs),
            notifications,
            handle: None,
        };
        Self {
            needs,
            current: Arc::new(RwLock::new(current)),
        }
    }

    /// Prepares another configuration. Templates and TLS clients take a while.
    pub(super) fn prepare(&self, notifications: Notifications) -> Replacement {
        let plan = match &notifications {
            Notifications::Service(receivers) => Some(Plan::new(&receivers.config)),
            Notifications::Alertmanagers(_) => None,
        };
        Replacement {
            sender: sender(&notifications, &self.needs),
            notifications,
            plan,
        }
    }

    /// Continues with another configuration.
    pub(super) fn replace(&self, replacement: Replacement) {
        let Replacement {
            notifications,
            sender,
            plan,
        } = replacement;
        let mut current = self.current.write();
        current.sender = sender;
        current.notifications = notifications;
        let handle = current.handle.clone();
        drop(current);
        if let (Some(handle), Some(plan)) = (handle, plan) {
            handle.reconfigure(plan);
        }
    }

    /// The parts of the configuration that the API shows.
    fn configured(&self) -> Arc<Configured> {
        match &self.current.read().notifications {
            Notifications::Service(receivers) => Arc::clone(&receivers.configured),
            Notifications::Alertmanagers(_) => Arc::new(Configured {
                original: String::new(),
                receivers: Vec::new(),
                resolve_timeout: 0,
            }),
        }
    }

    fn mount(&self, handle: &Handle, directory: Option<&Directory>) {
        let receiving = self.clone();
        let settings = api::Settings {
            writes: self.needs.writes,
            started: self.needs.started,
            configured: Arc::new(move || receiving.configured()),
        };
        let open = match links::key(directory) {
            Some(key) => {
                self.needs.links.sign_with(key.clone());
                api::acknowledgement_page(handle.clone(), key)
            }
            None => axum::Router::new(),
        };
        self.needs.routes.set(Some(Routers {
            protected: api::router(handle.clone(), settings),
            open,
            handle: handle.clone(),
        }));
    }

    /// Starts the tasks, which end after `stop`. `longest` is the longest interval of the rules. Blocks while the state is
    /// read; if it cannot be used, it is kept in memory.
    pub(super) fn start(
        &self,
        longest: Option<Duration>,
        directory: Option<Arc<Directory>>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Notifier {
        let notifications = self.current.read().notifications.clone();
        info!("alerts are {}", notifications.describe());
        let clock = self.needs.clock.clone();
        let now = move || -> Time { clock.millis() };
        match notifications {
            Notifications::Alertmanagers(all) => {
                let settings = forward::Settings {
                    alerts: room::places(self.needs.max_alerts),
                    evaluation: evaluation(longest),
                    ..forward::Settings::default()
                };
                let forwarder = Forwarder::new(settings, &self.needs.registry, now);
                for alertmanager in all {
                    let (forwarder, stop) = (forwarder.clone(), stop.clone());
                    tasks.spawn(async move { forwarder.run(alertmanager, stop).await });
                }
                // An Alertmanager that does not answer is an alert of its own there.
                self.needs.call(watch::channel(true).1, tasks, stop);
                self.needs.routes.set(None);
                Notifier::Forwarder(forwarder)
            }
            Notifications::Service(receivers) => {
                let plan = Plan::new(&receivers.config);
                let service = open(plan, directory.clone(), &self.needs, now);
                let handle = service.handle();
                self.needs.call(service.healthy(), tasks, stop);
                self.mount(&handle, directory.as_deref());
                self.current.write().handle = Some(handle.clone());
                tasks.spawn(service.run(Arc::new(self.clone()), stop.clone()));
                Notifier::Service(handle)
            }
        }
    }
}

/// Delivers through the current receivers.
impl Deliver for Receiving {
    async fn send(&self, message: &Message) -> Result<(), Failure> {
        let sender = self.current.read().sender.clone();
        match sender {
            Some(sender) => sender.send(message).await,
            None => Ok(()),
        }
    }
}

fn sender(notifications: &Notifications, needs: &Needs) -> Option<Arc<Sender>> {
    let Notifications::Service(receivers) = notifications else {
        return None;
    };
    let settings = deliver::Settings {
        links: Arc::clone(&needs.links) as Arc<_>,
        templates: receivers.templates.clone(),
        ..deliver::Settings::default()
    };
    Some(Arc::new(Sender::new(&receivers.config, settings)))
}

fn open(
    plan: Plan,
    directory: Option<Arc<Directory>>,
    needs: &Needs,
    now: impl Fn() -> Time + Clone + Send + Sync + 'static,
) -> Service {
    let mut settings = service::Settings::default();
    settings.limits.alerts = room::places(needs.max_alerts);
    settings.max_messages_per_minute = needs.max_messages;
    settings.gate = needs.gate.clone();
    let on_disk = service::Settings {
        directory,
        ..settings.clone()
    };
    let registry = &needs.registry;
    Service::open(plan.clone(), on_disk, registry, now.clone()).unwrap_or_else(|error| {
        let error = redact::addresses(&error.to_string());
        error!(
            error,
            "the state of notifications cannot be used; it is kept in memory until the next start"
        );
        Service::in_memory(plan, &settings, registry, now)
    })
}
