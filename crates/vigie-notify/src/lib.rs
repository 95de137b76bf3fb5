//! Who is notified of which alert, and when.
//!
//! Everything here is a pure function of times, alerts and outcomes.

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
