//! Read-only monitoring of BullMQ through Redis: levels, outcomes, run durations, ages, workers.
//!
//! A [`Watcher`] discovers all queues of a Redis, counts their jobs by state within a second of a change, and follows
//! their event streams: the outcome of each job by name, even if the job is deleted at once, and the duration of each
//! attempt. It periodically samples job age, lateness and stalls. Missed stream entries are counted. It needs no
//! scripts, writes nothing, and costs the server far less than BullMQ's own counting. Each command is optional: if the
//! server refuses one, only the metrics that depend on it are absent.
//!
//! Queues of BullMQ 3 to 6 are supported. Queues of Bull, its predecessor, have no event stream: their jobs are counted
//! by state, but outcomes are unknown.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tokio_util::sync::CancellationToken;
//! use vigie_bullmq::{Settings, State, Tick, Watcher};
//! use vigie_metrics::Registry;
//!
//! let mut settings = Settings::new(redis::Client::open("redis://127.0.0.1")?);
//! settings.tick = Some(Tick { queue: "production".into(), job: None });
//!
//! for queue in vigie_bullmq::probe(&settings).await? {
//!     println!("{}: {:?} waiting", queue.name, queue.levels.get(State::Waiting));
//! }
//!
//! let registry = Registry::new();
//! let watcher = Watcher::new(settings, &registry);
//! let stop = CancellationToken::new();
//! tokio::spawn(watcher.clone().run(stop.clone()));
//! println!("{} queues", watcher.status().queues.len());
//! # Ok(())
//! # }
//! ```
//!
//! | layer | contents |
//! | --- | --- |
//! | `protocol` | the data of BullMQ in Redis: keys, commands, parsing of replies |
//! | `failures` | why jobs failed: redacted and counted |
//! | `events` | the event streams: the outcome of jobs, jobs in flight and their names, missed entries |
//! | `signals` | how old, late and stuck jobs are, and limits |
//! | `series` | the published series |
//! | `queue` | the state of a queue, behind one lock |
//! | `directory` | which queues are followed, and which node reads each |
//! | `session` | connections and tasks |
//! | `probe`, `watcher` | one look at all queues, and the handle |
//!
//! Each layer uses only those above it in this table. Connections, tasks and clocks are in `session` and below it,
//! locks in `series` and below it.
//!
//! The crate does not depend on HTTP, checks, or the readers of the metrics.

mod directory;
mod error;
mod events;
mod failures;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod metrics;
mod probe;
mod protocol;
mod queue;
mod series;
mod session;
mod settings;
mod signals;
mod watcher;

pub use error::Error;
pub use failures::reasons::{FailureReason, Failures};
pub use probe::{QueueLevels, probe};
pub use protocol::levels::{Levels, State};
pub use settings::{Settings, Tick};
pub use watcher::{QueueFailures, QueueStatus, Status, Watcher};
