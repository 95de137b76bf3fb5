//! Where Redis is, and how it is reached: addresses, TLS with own certificates, Sentinels, clusters.
//!
//! An [`Endpoint`] is made from a URL and [connects](Endpoint::connect) as often as it is asked to. It keeps no
//! connection: a caller drops one that is broken and connects again, to the master of that time.
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
//! A cluster has several masters: its [`Scout`] lists the current [masters](Master), each an endpoint that holds some
//! [`Slots`], and [`slot`] computes the slot of a key.
//!
//! [`redact`] covers credentials in texts, also for other crates.
//!
//! The crate does not know queues and checks. No text of it holds a password.

// The driver takes the cryptography that the program links; the features of this crate choose it.
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
