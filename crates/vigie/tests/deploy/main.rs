//! The files of `deploy/`, read by the programs they are for and held against what Vigie is.
#![allow(clippy::unwrap_used)]

mod compose;
mod image;
mod kubernetes;
mod memory;
mod monitoring;
mod readme;
mod support;
