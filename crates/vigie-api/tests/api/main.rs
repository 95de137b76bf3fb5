//! The API over HTTP: beside a real Prometheus, under promtool and Grafana's own requests, and under hostile ones.
#![allow(clippy::unwrap_used)]

mod answers;
mod common;
mod grafana;
mod hostile;
mod limits;
mod methods;
mod peers;
mod promtool;
