//! The command line of the real binary.
#![allow(clippy::unwrap_used)]

mod cli;
mod precedence;
mod query;
