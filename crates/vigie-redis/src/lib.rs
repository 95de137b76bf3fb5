//! Connections to Redis: addresses, TLS with custom certificates, Sentinels, clusters.
//!
//! An [`Endpoint`] is parsed from a URL, and each call of [connect](Endpoint::connect) makes a new connection. The
//! endpoint keeps none: a caller drops a broken connection and connects again, to the master at that time.
//!
//! ```
//! use vigie_redis::{Endpoint, TlsFiles};
//!
//! # fn main() -> Result<(), vigie_redis::UrlError> {
//! let one = Endpoint::new("rediss://vigie:secret@redis.internal:6380/2", TlsFiles::default())?;
//! assert_eq!(one.to_string(), "redis.internal:6380/2");
//! let watched = Endpoint::new("redis-sentinel://:secret@a:26379,b/mymaster", TlsFiles::default())?;
//! assert_eq!(watched.to_string(), "sentinel a:26379,b:26379/mymaster/0");
//! # Ok(())
//! # }
//! ```
//!
//! A cluster has several masters: [`Scout`] lists the current [masters](Master), each an endpoint that owns some
//! [`Slots`], and [`slot`] computes the slot of a key.
//!
//! [`redact`] masks credentials in messages; other crates use it too.
//!
//! The crate is independent of queues and checks. None of its messages contains a password.

// The driver uses the crypto provider that the program links; the features of this crate select it.
use rustls as _;

mod cluster;
mod endpoint;
mod error;
mod greeting;
mod hosts;
mod parameters;
mod patience;
pub mod redact;
pub mod reply;
mod scout;
mod sentinel;
mod slot;
mod tls;

pub use endpoint::Endpoint;
pub use error::{Error, UrlError};
pub use scout::{Master, Scout};
pub use slot::{SLOTS, Slots, slot, tag};
pub use tls::TlsFiles;
pub use vigie_tls::TlsProblem;
