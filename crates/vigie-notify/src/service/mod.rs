//! The running notification service: it keeps the time of the dispatcher, passes its messages to the receivers, and keeps its
//! state on disk.
//!
//! Before an attempt to deliver a message begins, the message's alerts and the attempt are on disk. After a crash at any moment,
//! each message that was not confirmed is decided upon again with the alerts of that time: it is delivered at least once,
//! and a resolved message follows each firing one that may have been delivered.
//!
//! If the state cannot be written, the service continues and retries: messages are more important than their record.

mod disk;
mod failing;
mod handle;
mod journal;
mod run;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use vigie_metrics::Registry;
use vigie_store::Directory;

pub use handle::Handle;
pub use journal::FILE;

/// The longest time that [`Service::run`] takes after its token is cancelled.
pub const STOPS_WITHIN: Duration = run::GRACE.saturating_add(disk::WITHIN);

use crate::deliver::{Failure, Sender};
use crate::dispatch::{Dispatcher, Limits, Plan, Saved};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::{Message, Time};
use failing::Reports;
use journal::Journal;

/// Delivers messages.
pub trait Deliver: Send + Sync + 'static {
    /// Delivers a message to its receiver. A message without an answer counts as not delivered.
    fn send(&self, message: &Message) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl Deliver for Sender {
    async fn send(&self, message: &Message) -> Result<(), Failure> {
        Self::send(self, message).await
    }
}

/// Whether messages may be sent now.
#[derive(Clone)]
pub struct Gate(Arc<dyn Fn() -> bool + Send + Sync>);

impl Gate {
    /// A gate that is open while `is_open` returns true.
    pub fn new(is_open: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_open))
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        (self.0)()
    }
}

impl Default for Gate {
    /// A gate that is always open.
    fn default() -> Self {
        Self::new(|| true)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.is_open()).finish()
    }
}

/// The settings of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of the state; `None` to keep it only in memory.
    pub directory: Option<Arc<Directory>>,
    /// The bounds of the dispatcher.
    pub limits: Limits,
    /// The most messages that an integration gets in a minute. If there are more, they become one summary.
    pub max_messages_per_minute: usize,
    /// Closed while another replica notifies: then no message is sent, and the state stays as it is. The caller that opens it
    /// must call [`Handle::take_over`].
    pub gate: Gate,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            directory: None,
            limits: Limits::default(),
            max_messages_per_minute: 20,
            gate: Gate::default(),
        }
    }
}

/// The service, to be run.
pub struct Service {
    handle: Handle,
    outbox: Outbox,
    journal: Option<Journal>,
    metrics: Metrics,
    reports: Reports,
    gate: Gate,
}

impl Service {
    /// Reads the state, and makes the service. Blocks while it reads.
    ///
    /// # Errors
    /// If the state can be neither read nor created. A damaged state is kept under another name and reported in the log.
    pub fn open(
        plan: Plan,
        settings: Settings,
        registry: &Registry,
        clock: impl Fn() -> Time + Send + Sync + 'static,
    ) -> Result<Self, vigie_store::Error> {
        let state = match &settings.directory {
            Some(directory) => {
                let (journal, saved) = Journal::open(Arc::clone(directory))?;
                (Some(journal), saved)
            }
            None => (None, Saved::default()),
        };
        Ok(Self::new(plan, &settings, state, registry, clock))
    }

    /// A service whose state is only in memory, whatever the settings say.
    pub fn in_memory(
        plan: Plan,
        settings: &Settings,
        registry: &Registry,
        clock: impl Fn() -> Time + Send + Sync + 'static,
    ) -> Self {
        let state = (None, Saved::default());
        Self::new(plan, settings, state, registry, clock)
    }

    fn new(
        plan: Plan,
        settings: &Settings,
        (journal, saved): (Option<Journal>, Saved),
        registry: &Registry,
        clock: impl Fn() -> Time + Send + Sync + 'static,
    ) -> Self {
        let now = clock();
        let mut dispatcher = Dispatcher::restore(plan, settings.limits, saved, now);
        dispatcher.recover(now);
        let mut outbox = Outbox::new(settings.max_messages_per_minute);
        let reports = Reports::restore(&dispatcher, now, &mut outbox);
        let metrics = Metrics::new(registry);
        let (refused, is_logged) = (metrics.clone(), AtomicBool::new(false));
        let handle = Handle::with(dispatcher, clock, move |why| {
            refused.refused(why);
            if !is_logged.swap(true, Ordering::Relaxed) {
                tracing::warn!(%why, "an alert is refused; further ones are only counted");
            }
        });
        Metrics::collect(registry, &handle);
        handle.set_service(true);
        Self {
            handle,
            outbox,
            journal,
            metrics,
            reports,
            gate: settings.gate.clone(),
        }
    }

    /// Access to the service.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Whether no receiver fails, for the dead man's switch.
    #[must_use]
    pub fn healthy(&self) -> watch::Receiver<bool> {
        self.reports.healthy()
    }
}

/// Reads the records of a state, as after a restart, for fuzzing.
#[doc(hidden)]
pub fn read_state(records: &[&[u8]], plan: Plan, now: Time) -> Dispatcher {
    let (saved, _) = journal::replay(records);
    let mut dispatcher = Dispatcher::restore(plan, Limits::default(), saved, now);
    dispatcher.recover(now);
    dispatcher
}
