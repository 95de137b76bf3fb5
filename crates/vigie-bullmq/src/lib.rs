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
//! | folder | contents |
//! | --- | --- |
//! | `events` | the event streams: the outcome of jobs, jobs in flight and their names, missed entries |
//! | `queues` | how queues are found, and their jobs counted |
//! | `signals` | how old, late and stuck jobs are, limits, and workers |
//! | `nodes` | the parts that have connections of their own, and the commands that they answer |
//! | `series`, `shared` | the published series, and the state of all tasks |
//! | `watcher` | the handle, and the settings |
//!
//! Connections, tasks and time are in `link`, `refusals`, `cluster`, `survey`, `queues::names`, `control`, `inspector`,
//! `stream`, `follower` and `watcher`; all other modules are pure.
//!
//! The crate does not depend on HTTP, checks, or the readers of the metrics.

mod error;
mod events;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod metrics;
mod nodes;
mod queues;
mod series;
mod shared;
mod signals;
mod watcher;

pub use error::Error;
pub use queues::levels::{Levels, State};
pub use watcher::{QueueLevels, QueueStatus, Settings, Status, Tick, Watcher, probe};
