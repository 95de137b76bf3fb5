//! Notification: receivers, routing, grouping, inhibition and silences, with Alertmanager's configuration.
//!
//! Everything here is a pure function of times, alerts and outcomes: no socket, file, clock or task. Delivery over HTTP and
//! SMTP and the outbox on disk belong into a module `deliver` of this crate, which takes a [`dispatch::Notification`] and
//! reports its [`dispatch::Outcome`].
//!
//! ```
//! use vigie_notify::dispatch::{Dispatcher, Limits, Outcome, Plan};
//! use vigie_notify::{Alert, config};
//! use vigie_promql::Labels;
//!
//! let config = config::load(
//!     "
//! route: {receiver: ops, group_wait: 30s}
//! receivers: [{name: ops, webhook_configs: [{url: 'https://example.org'}]}]
//! ",
//! )?;
//! let mut dispatcher = Dispatcher::new(Plan::new(&config), Limits::default());
//! dispatcher.observe(0, Alert::firing(Labels::new([("alertname", "Slow")]), 0))?;
//! assert_eq!(dispatcher.due(), Some(30_000));
//!
//! let notification = dispatcher.advance(30_000).notifications.remove(0);
//! assert_eq!(notification.group_key, "{}:{}");
//! dispatcher.outcome(notification.id, Outcome::Delivered);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alert;
pub mod config;
pub mod dispatch;
pub mod inhibit;
pub mod interval;
pub mod matcher;
mod problem;
pub mod route;
mod saved;
pub mod silence;

pub use alert::{Alert, State};
pub use problem::{Problem, Problems};

/// Milliseconds since the Unix epoch.
pub type Time = i64;

/// A duration in milliseconds.
fn millis(duration: std::time::Duration) -> Time {
    Time::try_from(duration.as_millis()).unwrap_or(Time::MAX)
}
