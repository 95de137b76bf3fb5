//! The registry and both formats, through the public API.
#![allow(clippy::unwrap_used)]

mod concurrency;
mod exposition;
mod first_events;
mod scopes;
mod support;
