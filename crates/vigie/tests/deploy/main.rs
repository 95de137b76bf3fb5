//! The files in `deploy/`, read by the programs that use them and compared with Vigie's settings and metrics.
#![allow(clippy::unwrap_used)]

mod compose;
mod host;
mod image;
mod kubernetes;
mod memory;
mod monitoring;
mod readme;
mod support;
