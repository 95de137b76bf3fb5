//! The registry of metrics and the exposition formats.
//!
//! A metric is described once, as a [`Desc`] in the crate that records it ([`descriptions!`]). A [`Registry`] turns a
//! description into a [`Family`]. Recording into its existing series does not allocate. The registry writes all
//! families in the Prometheus text format or as OpenMetrics.
//!
//! ```
//! use std::time::Duration;
//! use vigie_metrics::{Buckets, Desc, Format, Histogram, Registry, buckets};
//!
//! static BUCKETS: Buckets = buckets![0.01, 0.1, 1.0];
//! static REQUESTS: Desc<Histogram, 3> = Desc::histogram(
//!     "http_request_duration_seconds",
//!     "Request latency.",
//!     &["method", "route", "code"],
//!     &BUCKETS,
//! );
//!
//! let registry = Registry::new();
//! let requests = registry.family(&REQUESTS);
//! requests.observe(["GET", "/players/:id", "200"], Duration::from_millis(12));
//!
//! let page = registry.expose(Format::Text);
//! assert!(page.contains(r#"http_request_duration_seconds_count{method="GET",route="/players/:id",code="200"} 1"#));
//! ```
//!
//! The crate knows neither what is watched nor who reads the metrics, and uses no socket or task; the clock is read only
//! when a series is created, and for a [`TimeGauge`] whenever its value is.

mod desc;
mod epoch;
mod exposition;
mod family;
pub mod own;
mod recent;
mod registry;
mod time;
mod value;

#[doc(hidden)]
pub use desc::bounds_in_nanos;
pub use desc::{Buckets, Desc, Kind, Meta, States};
pub use epoch::Epoch;
pub use exposition::{Format, Scrape, View};
pub use family::{Family, Series};
pub use registry::Registry;
pub use time::TimeGauge;
pub use value::{Counter, Gauge, Histogram, Value};
