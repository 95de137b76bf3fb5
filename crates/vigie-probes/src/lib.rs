//! Background checks of the backend's dependencies, and the health endpoints.
//!
//! A [`Check`] tests one dependency: [`Sql`] logs in at a database, [`Redis`] sends a `PING`, [`App`] opens a
//! connection or sends a request. [`Checks`] runs them in the background, each with a period and a timeout and without
//! overlap, and keeps a [`Verdict`] for each: pending, ok or failed, since when, and why. The [`health`] endpoints
//! answer from these verdicts without waiting.
//!
//! ```
//! use vigie_metrics::Registry;
//! use vigie_probes::health::{self, Detail};
//! use vigie_probes::{Checks, Clock, Readiness, Redis, Settings, Sql};
//!
//! # fn main() -> Result<(), vigie_probes::UrlError> {
//! let database = Sql::new("database", "postgres://game:secret@127.0.0.1:5432/game")?;
//! let redis = Redis::new("redis", "redis://127.0.0.1:6379")?;
//! let checks = Checks::builder(Clock::system())
//!     .check(database, Settings { source: Some("database"), ..Settings::default() })
//!     .check(redis, Settings { required: false, ..Settings::default() })
//!     .unwatched("app")
//!     .build(&Registry::new());
//!
//! // tokio::spawn(async move { checks.run(stop).await });
//! let router = health::router(checks.clone(), Detail::Full);
//! assert_eq!(checks.report(checks.now()).readiness(), Readiness::Pending);
//! # drop(router);
//! # Ok(())
//! # }
//! ```
//!
//! The crate is independent of queues, requests and configuration files. No error message contains a secret.

mod address;
mod app;
mod check;
mod clock;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::sql::fuzzing::any_server;
}
pub mod health;
pub mod metrics;
mod published;
mod redis;
mod redis_cluster;
mod redis_ping;
mod report;
mod runner;
mod source;
mod sql;
mod state;
mod unusable;

pub use address::UrlError;
pub use app::{App, AppRequest};
pub use check::{BoxFuture, Check, Outcome, run_once};
pub use clock::{Clock, Moment};
pub use failure::{Failure, FailureKind};
pub use redis::Redis;
pub use report::{Entry, Readiness, Report};
pub use runner::{Builder, Checks, Settings};
pub use source::CheckSource;
pub use sql::Sql;
pub use state::{State, Status, Verdict};
pub use unusable::Unusable;
