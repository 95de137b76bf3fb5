//! Who is notified of which alert, and when.
//!
//! Everything here is a pure function of times, alerts and outcomes.

pub mod config;
pub mod interval;
pub mod matcher;
mod problem;

pub use problem::{Problem, Problems};

/// Milliseconds since the Unix epoch.
pub type Time = i64;
