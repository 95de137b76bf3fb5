//! The measuring gateway: every byte between clients and the app passes through it unchanged, and every request is timed.
//! Only the forwarding fields of requests are changed, as configured.
//!
//! In front of the app, it measures what users experience: queueing behind a blocked event loop, truncated responses,
//! clients that disconnect. Each connection of a client has its own connection to the app. `vigie-traffic` reads and counts
//! what passes: requests by route, and Engine.IO sessions. `pump` is the state of a connection apart from I/O.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use vigie_gateway::{Gateway, Settings};
//! use vigie_metrics::Registry;
//!
//! let registry = Registry::new();
//! let settings = Settings::new("127.0.0.1:3000");
//! let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
//! let running = Gateway::new(settings, &registry)?.start(listener)?;
//! running.drain(std::time::Duration::from_secs(25));
//! # Ok(())
//! # }
//! ```
//!
//! The crate is independent of Redis, databases, configuration files, and the readers of the metrics.

mod apps;
mod drain;
mod forwarding;
mod gateway;
mod held;
mod listen;
pub mod metrics;
mod output;
mod own;
pub mod proxy_protocol;
mod pump;
mod reason;
mod serve;
mod settings;
mod shared;
mod socket;
mod worker;

pub use gateway::{Gateway, Running};
pub use listen::bind_for;
pub use settings::{Forwarding, Settings, private_networks};
