//! End-to-end tests: the real program in front of a real backend, with real servers.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

mod admin;
mod alerting;
mod api;
mod bursts;
mod cluster;
mod compatible;
mod databases;
mod elected;
mod event_loop;
mod history;
mod jobs;
mod lifecycle;
mod optional;
mod outages;
mod players;
mod recipes;
mod restart;
mod routes;
mod scalers;
mod secrets;
mod sockets;
mod tick;
mod traffic;
mod vigil;
