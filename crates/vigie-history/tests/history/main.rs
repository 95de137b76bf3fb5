//! The history in memory and on disk, through the public API.
#![allow(clippy::unwrap_used)]

mod appending;
mod damage;
mod model;
mod ownership;
mod queries;
mod readers;
mod retention;
mod support;
