//! The checks against real servers, and against servers that misbehave.

#![allow(clippy::unwrap_used)]

mod app;
mod mariadb;
mod misbehaving;
mod postgres;
mod redis;
mod redis_cluster;
mod redis_tls;
mod sqlite;
mod watch;
