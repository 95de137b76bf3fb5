//! The API over HTTP, compared with Prometheus, used by promtool and as by Grafana, and with hostile requests.
#![allow(clippy::unwrap_used)]

mod answers;
mod common;
mod grafana;
mod hostile;
mod limits;
mod methods;
mod peers;
mod promtool;
mod rules;
