//! The passive source: its filter, its parsing and reassembly on generated packets, and the whole of it on real networks.
#![allow(clippy::unwrap_used)]

mod damage;
mod filter;
mod interpreter;
mod live;
mod packets;
mod readings;
mod streams;
mod talk;
mod traffic;
mod wire;
