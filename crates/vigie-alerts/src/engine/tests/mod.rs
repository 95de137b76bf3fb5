//! Tests of groups over samples in memory, on a virtual clock.
#![allow(clippy::unwrap_used)]

mod basics;
mod random;
mod restart;
mod unknown;
mod world;
