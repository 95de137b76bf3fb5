//! Notification: receivers, routing, grouping, inhibition and silences, with Alertmanager's configuration.
//!
//! Everything outside `deliver` and `service` is a pure function of times, alerts and outcomes: no socket, file, clock or
//! task. `service` passes each [`dispatch::Notification`] to `deliver` as a [`Message`], and reports its
//! [`dispatch::Outcome`].
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

pub mod ack;
mod alert;
pub mod api;
mod backoff;
pub mod config;
pub mod deliver;
pub mod dispatch;
pub mod files;
mod fingerprint;
pub mod forward;
pub mod heartbeat;
pub mod inhibit;
pub mod interval;
pub mod matcher;
mod message;
pub mod metrics;
pub mod outbox;
mod problem;
mod random;
pub mod route;
mod saved;
pub mod service;
pub mod silence;
pub mod template;
mod time;

pub use alert::{Alert, State};
pub use fingerprint::{Fingerprint, NoFingerprint};
pub use message::Message;
pub use problem::{Problem, Problems};
pub use time::Time;

use time::millis;
