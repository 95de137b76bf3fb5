//! Samples of a day, compressed in memory and optionally on disk.
//!
//! A [`History`] accepts scrapes from [`Appender`]s and provides samples to queries as a
//! [`Storage`](vigie_promql::Storage).
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
//! | module | content |
//! | --- | --- |
//! | `chunk` | compressed samples of one series |
//! | `memory` | all series, indexed by labels; the heads, which accept samples; sealed blocks |
//! | `disk` | blocks and a log of scrapes as files, written by a thread |
//! | `append`, `select` | the write path and the read path |
//!
//! New samples are added to the head and compressed in small pieces. After an hour they are sealed as a block, with
//! less than a byte per sample on metrics like Vigie's. Blocks are removed by age and by memory use. A sample that is
//! not later than the last one of its series is refused.
//!
//! The crate does not know metric registries, clocks, tasks or HTTP.

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
