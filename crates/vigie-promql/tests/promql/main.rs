//! The language and its evaluation, by themselves and compared with Prometheus.
#![allow(clippy::unwrap_used)]

mod common;
mod interruption;
mod layout;
mod prometheus;
mod properties;
mod regex;
mod suite;
mod syntax;
