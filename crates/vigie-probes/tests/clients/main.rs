//! Addresses have the same meaning as for the clients of the watched backend: each is given to them and to the check,
//! against a real server.
#![allow(clippy::unwrap_used)]

mod compare;
mod mysql;
mod postgres;
mod redis;
