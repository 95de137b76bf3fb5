//! Samples kept for a day: compressed in memory, and on disk when asked to.
//!
//! A [`History`] takes scrapes from [`Appender`]s and gives samples to queries: it is a [`Storage`](vigie_promql::Storage).
//!
//! ```
//! use vigie_history::{History, Settings};
//! use vigie_promql::{Matcher, Storage as _, storage::Selection};
//!
//! let history = History::open(&Settings::default())?;
//! let mut appender = history.appender();
//! for (time, jobs) in [(0, 3.0), (15_000, 4.0)] {
//!     let mut scrape = appender.scrape(time);
//!     if let Some(series) = scrape.series(&[("__name__", "queue_jobs_total"), ("queue", "mail")]) {
//!         scrape.sample(series, jobs);
//!     }
//!     scrape.commit();
//! }
//!
//! let matchers = [Matcher::equal("queue", "mail")];
//! let selection = Selection { matchers: &matchers, start: 0, end: 60_000 };
//! let mut latest = None;
//! history.select(&selection, &mut |_labels, samples| {
//!     latest = samples.last().map(|sample| sample.value);
//!     std::ops::ControlFlow::Continue(())
//! })?;
//! assert_eq!(latest, Some(4.0));
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```
//!
//! | module | what is in it |
//! | --- | --- |
//! | `chunk` | samples of one series in as few bits as they need |
//! | `memory` | all series, found by their labels; the heads, which take samples; the blocks, which are sealed |
//! | `disk` | blocks and a log of scrapes as files, which a thread writes |
//! | `append`, `select` | the two who use it |
//!
//! New samples stand in the head, compressed in small pieces. After an hour they become a block, with less than a byte for each
//! on metrics like ours. Blocks go by age and when memory runs short. A sample that is not later than its series' last one is refused.
//!
//! The crate knows nothing of metrics registries, clocks, tasks or HTTP.

mod append;
mod chunk;
mod disk;
mod error;
mod history;
mod memory;
mod select;
mod stats;

pub use append::{Appender, Scrape};
pub use disk::{Loaded, foreign_entry};
pub use error::Error;
pub use history::{History, Settings};
pub use memory::SeriesRef;
pub use stats::{Committed, DiskState, Refused, Stats};
