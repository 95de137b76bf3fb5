//! Real and faulty servers for the tests.
//!
//! Each server listens on its own loopback port, stores its files in a temporary directory, and ends when its value
//! is dropped or when the test process is killed.
//!
//! | module | content |
//! | --- | --- |
//! | [`postgres`], [`mariadb`], [`redis`] | the real servers, which can be killed, frozen and restarted |
//! | [`prometheus`], [`alertmanager`] | the real servers that read what is exposed, judge it and notify |
//! | [`certificates`], [`tls_server`] | a CA and what it signs, and a server that presents it |
//! | [`webhook`], [`periods`] | a receiver for the notifications, and the comparison of two notifiers |
//! | [`mail`] | a real mail server |
//! | [`receivers`] | servers that enforce the rules of Slack, Discord, Telegram and others |
//! | [`kubernetes`] | an API server for Leases, with the rules of the real one |
//! | [`node`] | the scripts of `demo/`: the backend, its traffic, and clients that count what they do |
//! | [`faults`] | servers that hang, refuse, reset, delay or send garbage, and a proxy that can be cut |
//! | [`http`] | a raw HTTP/1.1 client |
//! | `waiting` | [`eventually`], and the deadline of conditions |
//! | [`promtext`] | a strict parser of the exposition formats, independent of the encoder |
//! | [`process`], [`ports`], [`tools`], [`wheels`] | the foundation of the others |
//!
//! A server that is not available is an error that names its package: the test fails, it is never skipped.
//!
//! ```no_run
//! # async fn example() -> Result<(), vigie_testkit::Error> {
//! let redis = vigie_testkit::Redis::start().await?;
//! assert_eq!(redis.cli(&["SET", "k", "v"]).await?, "OK");
//! redis.freeze(); // accepts connections and never answers
//! redis.thaw();
//! # Ok(())
//! # }
//! ```

pub mod alertmanager;
pub mod allocator;
pub mod certificates;
pub mod cluster;
pub mod conformance;
pub mod demo;
mod error;
pub mod faults;
pub mod held_file;
pub mod http;
pub mod kubernetes;
pub mod mail;
pub mod mariadb;
pub mod node;
pub mod periods;
pub mod ports;
mod post;
pub mod postgres;
pub mod process;
pub mod prometheus;
pub mod promtext;
pub mod receivers;
pub mod redis;
pub mod sentinel;
mod server;
pub mod sid;
pub mod tls_server;
pub mod tools;
mod waiting;
pub mod webhook;
pub mod wheels;

pub use alertmanager::Alertmanager;
pub use certificates::{Certificates, Kind};
pub use cluster::Cluster;
pub use error::Error;
pub use faults::{Fault, FaultServer, RedisProxy, Replacement, TcpProxy};
pub use held_file::HeldFile;
pub use kubernetes::ApiServer;
pub use mail::MailServer;
pub use mariadb::{MariaDb, MariaDbOptions};
pub use node::Script;
pub use periods::Periods;
pub use postgres::{Postgres, PostgresOptions};
pub use process::Process;
pub use prometheus::Prometheus;
pub use promtext::Scrape;
pub use redis::{Redis, RedisOptions};
pub use sentinel::Sentinel;
pub use tls_server::TlsServer;
pub use waiting::{SOON, eventually};
pub use webhook::Webhook;
