//! The dashboards: generated from one source, valid by Grafana's schemas and lint rules, and consistent with the
//! specification.
//!
//! `dashboards/vigie.json` and `vigie-details.json` are written by hand, or exported from Grafana; `fr.toml` contains
//! the French texts. After changing any of them, `UPDATE_DASHBOARDS=1 cargo test -p vigie --test dashboards` rewrites
//! the sources in canonical form and generates the French files.
#![allow(clippy::unwrap_used)]

mod canonical;
mod files;
mod generated;
mod layout;
mod lint;
mod model;
mod names;
mod print;
mod query;
mod specification;
mod translation;
