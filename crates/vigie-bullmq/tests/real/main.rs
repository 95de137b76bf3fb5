//! Tests of the watcher with a real Redis, and jobs of the real BullMQ.
#![allow(clippy::unwrap_used, missing_docs)]

mod cluster;
mod counts;
mod databases;
mod failures;
mod faults;
mod held;
mod levels;
mod reach;
mod reads_only;
mod refresh;
mod refusals;
mod signals;
mod soak;
mod support;
mod variants;
mod versions;
mod workers;
