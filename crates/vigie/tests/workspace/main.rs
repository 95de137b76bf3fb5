//! Rules about the crates of the workspace and their dependencies.
#![allow(clippy::unwrap_used)]

mod architecture;
mod dependencies;
mod page;
