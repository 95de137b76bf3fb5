//! The dashboards: made from one source, sound by Grafana's own schemas and habits, true to the specification.
//!
//! `dashboards/vigie.json` and `vigie-details.json` are written by hand, or exported from Grafana; `fr.toml` has their texts
//! in French. After a change of either, `UPDATE_DASHBOARDS=1 cargo test -p vigie --test dashboards` puts the sources into their
//! canonical form and writes the French files.
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
