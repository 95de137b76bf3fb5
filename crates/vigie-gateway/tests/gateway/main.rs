//! The gateway between real and scripted clients and apps.
#![allow(clippy::unwrap_used)]

mod apps;
mod common;
mod crash;
mod draining;
mod haproxy;
mod hostile;
mod names;
mod poll;
mod proxied;
mod proxy;
mod streams;
mod transparency;
mod upgrade;
mod verbatim;

#[path = "../../../vigie-traffic/tests/traffic/generator.rs"]
#[allow(dead_code)]
mod generator;
#[path = "../../../vigie-traffic/tests/traffic/notes.rs"]
#[allow(dead_code)]
mod notes;
#[path = "../../../vigie-traffic/tests/traffic/variants.rs"]
#[allow(dead_code)]
mod variants;
