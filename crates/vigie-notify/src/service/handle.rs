//! Access to the running service.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::dispatch::{Dispatcher, FAILING, Plan, Refused};
use crate::{Alert, Time};

/// How long a caller waits for a change to be on disk. A disk that takes longer is reported by the service.
const SAVED_WITHIN: Duration = Duration::from_secs(5);

/// Access to the running service, for the rule engine, the API and the command line. Clones share the service.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    dispatcher: Mutex<Dispatcher>,
    clock: Box<dyn Fn() -> Time + Send + Sync>,
    /// Whether a service saves the changes.
    is_saved: AtomicBool,
    /// Wakes the service.
    news: Notify,
    /// The number of requests to save the state, and how many of them are done.
    requested: AtomicU64,
    saved: watch::Sender<u64>,
    is_replaced: AtomicBool,
    refused: Box<dyn Fn(&Refused) + Send + Sync>,
}

impl Handle {
    /// Access to a dispatcher.
    pub fn new(dispatcher: Dispatcher, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self::with(dispatcher, clock, |_| {})
    }

    /// Access to a dispatcher. `refused` is called for each alert that is refused.
    pub(crate) fn with(
        dispatcher: Dispatcher,
        clock: impl Fn() -> Time + Send + Sync + 'static,
        refused: impl Fn(&Refused) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            dispatcher: Mutex::new(dispatcher),
            clock: Box::new(clock),
            is_saved: AtomicBool::new(false),
            news: Notify::new(),
            requested: AtomicU64::new(0),
            saved: watch::Sender::new(0),
            is_replaced: AtomicBool::new(false),
            refused: Box::new(refused),
        }))
    }

    /// Passes alerts of the rule engine or of a client, firing ones and resolved ones. Returns the number refused.
    ///
    /// They are on disk soon after; [`Self::saved`] waits for that.
    pub fn observe(&self, alerts: Vec<Alert>) -> usize {
        self.pass(alerts, Dispatcher::observe)
    }

    fn pass(
        &self,
        alerts: Vec<Alert>,
        pass: fn(&mut Dispatcher, Time, Alert) -> Result<(), Refused>,
    ) -> usize {
        let now = self.now();
        let mut dispatcher = self.0.dispatcher.lock();
        let refused = alerts
            .into_iter()
            .filter_map(|alert| pass(&mut dispatcher, now, alert).err());
        let refused: Vec<Refused> = refused.collect();
        drop(dispatcher);
        refused.iter().for_each(&self.0.refused);
        self.0.news.notify_one();
        refused.len()
    }

    /// Passes all alerts of the rule engine that fire. Those that it passed before and that are not among them are resolved:
    /// their rules are gone. To be called after a start. Returns the number refused.
    ///
    /// Alerts with an end are left alone: they belong to clients, or end by themselves.
    pub fn replace(&self, active: Vec<Alert>) -> usize {
        self.pass_all(active, Dispatcher::observe)
    }

    /// As [`Self::replace`], when this replica begins to notify in place of another one. That one may have announced any of the
    /// alerts: a message follows also about those that resolved recently.
    pub fn take_over(&self, current: Vec<Alert>) -> usize {
        self.pass_all(current, Dispatcher::take_over)
    }

    fn pass_all(
        &self,
        active: Vec<Alert>,
        pass: fn(&mut Dispatcher, Time, Alert) -> Result<(), Refused>,
    ) -> usize {
        let now = self.now();
        let known: BTreeSet<_> = active.iter().map(|alert| alert.labels.clone()).collect();
        let gone = self.read(|dispatcher, _| {
            let alerts = dispatcher.alerts().map(|(alert, _)| alert);
            let gone = alerts.filter(|alert| {
                alert.ends_at.is_none()
                    && alert.labels.get("alertname") != FAILING
                    && !known.contains(&alert.labels)
            });
            gone.map(|alert| (**alert).clone()).collect::<Vec<_>>()
        });
        let gone = gone.into_iter().map(|alert| Alert {
            ends_at: Some(now),
            unknown_since: None,
            ..alert
        });
        self.pass(gone.chain(active).collect(), pass)
    }

    /// Reads the state.
    pub fn read<R>(&self, read: impl FnOnce(&Dispatcher, Time) -> R) -> R {
        let now = self.now();
        read(&self.0.dispatcher.lock(), now)
    }

    /// Changes the state, such as the silences. Returns when the change is on disk, or after 5 seconds.
    pub async fn change<R>(&self, change: impl FnOnce(&mut Dispatcher, Time) -> R) -> R {
        let changed = self.update(change);
        self.saved().await;
        changed
    }

    /// Waits until everything observed and changed so far is on disk, at most 5 seconds. If it cannot be written, the service
    /// reports that and retries.
    pub async fn saved(&self) {
        if !self.0.is_saved.load(Ordering::Acquire) {
            return;
        }
        let request = self.0.requested.fetch_add(1, Ordering::AcqRel) + 1;
        let mut saved = self.0.saved.subscribe();
        self.0.news.notify_one();
        let _ = timeout(SAVED_WITHIN, saved.wait_for(|saved| *saved >= request)).await;
    }

    /// Continues with another configuration. Groups that remain keep their state.
    pub fn reconfigure(&self, plan: Plan) {
        let now = self.now();
        let mut dispatcher = self.0.dispatcher.lock();
        let (saved, limits) = (dispatcher.save(), dispatcher.limits());
        *dispatcher = Dispatcher::restore(plan, limits, saved, now);
        self.0.is_replaced.store(true, Ordering::Release);
        drop(dispatcher);
        self.0.news.notify_one();
    }

    pub(crate) fn now(&self) -> Time {
        (self.0.clock)()
    }

    /// Changes the state without waiting for the disk.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut Dispatcher, Time) -> R) -> R {
        let now = self.now();
        change(&mut self.0.dispatcher.lock(), now)
    }

    /// Waits for a change by another task.
    pub(crate) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// The number of requests to save the state so far.
    pub(crate) fn requested(&self) -> u64 {
        self.0.requested.load(Ordering::Acquire)
    }

    /// Whether there are requests to save that are not done.
    pub(crate) fn is_awaited(&self) -> bool {
        self.requested() > *self.0.saved.borrow()
    }

    /// That many requests to save are done.
    pub(crate) fn set_saved(&self, requests: u64) {
        self.0.saved.send_replace(requests);
    }

    /// Whether a service saves changes from now on.
    pub(crate) fn set_service(&self, is_running: bool) {
        self.0.is_saved.store(is_running, Ordering::Release);
        if !is_running {
            self.set_saved(self.requested());
        }
    }

    /// Whether the configuration was replaced since the last call.
    pub(crate) fn take_replaced(&self) -> bool {
        self.0.is_replaced.swap(false, Ordering::AcqRel)
    }
}
