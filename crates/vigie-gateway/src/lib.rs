//! The measuring reverse proxy: every request to the app passes through it unchanged and is timed.
//!
//! In front of the app, it measures what users experience: queueing behind a blocked event loop, truncated responses,
//! clients that disconnect. It supports HTTP/1.1 with keep-alive on both sides, streams bodies in both directions, and
//! passes upgrades through byte for byte. It also counts Engine.IO sessions and assigns each request one of a bounded
//! set of route templates.
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

mod body;
mod client;
mod engineio;
mod forwarded;
mod gateway;
mod headers;
mod known;
pub mod metrics;
mod proxy;
mod record;
mod routes;
mod send;
mod settings;
mod tunnel;
mod upstream;

pub use gateway::{Gateway, Running};
pub use known::{KnownRoutes, SavedRoutes};
pub use routes::{
    FoldedTemplate, ListedRoute, PatternError, RouteList, RouteOrigin, SavedError, is_saved_routes,
    validate_pattern,
};
pub use settings::{Settings, private_networks};
