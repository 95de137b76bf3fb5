//! The catalogue of metrics, the registry that holds them, and the exposition formats.
//!
//! A metric is described once, as a [`Desc`] in the [`catalogue`]. A [`Registry`] turns a description
//! into a [`Family`], whose series are recorded into without allocating once they exist, and writes
//! every family in the Prometheus text format or as OpenMetrics.
//!
//! ```
//! use std::time::Duration;
//! use vigie_metrics::{Format, Registry, catalogue};
//!
//! let registry = Registry::new();
//! let requests = registry.family(&catalogue::HTTP_REQUEST_DURATION);
//! requests.observe(["GET", "/players/:id", "200"], Duration::from_millis(12));
//!
//! let page = registry.expose(Format::Text);
//! assert!(page.contains(r#"http_request_duration_seconds_count{method="GET",route="/players/:id",code="200"} 1"#));
//! ```
//!
//! The crate knows nothing of what is watched, of who reads, of clocks, sockets or tasks.

pub mod catalogue;
mod desc;
mod exposition;
mod family;
mod registry;
mod value;

#[doc(hidden)]
pub use desc::bounds_in_nanos;
pub use desc::{Buckets, Desc, Kind, Meta, States};
pub use exposition::Format;
pub use family::{Family, Series};
pub use registry::Registry;
pub use value::{Counter, Gauge, Histogram, Value};
