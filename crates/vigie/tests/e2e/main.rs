//! End-to-end tests: the real program in front of a real backend, with real servers.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;
mod source;

mod admin;
mod alerting;
mod api;
mod bursts;
mod capture_loss;
mod clients;
mod cluster;
mod compatible;
mod databases;
mod elected;
mod event_loop;
mod failures;
mod hanging_disk;
mod history;
mod jobs;
mod lifecycle;
mod notified;
mod optional;
mod outages;
mod page;
mod players;
mod recipes;
mod restart;
mod routes;
mod rules;
mod scalers;
mod secrets;
mod side_by_side;
mod sockets;
mod tick;
mod traffic;
mod vigil;
