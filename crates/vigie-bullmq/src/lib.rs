//! BullMQ read from Redis, with reads only: levels, outcomes, run durations, ages, workers.
//!
//! A [`Watcher`] finds every queue of a Redis by itself, counts its jobs by state within a second of a change,
//! and follows its event stream: which job ended how, by name, also when the job is deleted at once, and how long every
//! attempt ran. Now and then it looks how old, how late and how stuck jobs are. What it may have missed it counts too,
//! to the entry. It needs no script, writes nothing (but for a lease, where several watchers shall export as one),
//! and costs the server far less than BullMQ's own counting.
//!
//! Queues of BullMQ 3 to 6 are read alike. Those of Bull, the predecessor, have no event stream: their jobs are counted
//! by state, and how they end is not known, nor published.
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
//! | module | what it knows |
//! | --- | --- |
//! | `key`, `entry` | the names of keys; what the server answers |
//! | `fold`, `names`, `pauses`, `jobs`, `table` | what events come to, and what is remembered of jobs meanwhile |
//! | `ledger`, `repair` | where the reading stands, what was missed, and what of it ended |
//! | `levels`, `discovery` | the commands that count and find, and their replies; `survey` asks them |
//! | `refresh` | which queues to count when |
//! | `signals`, `workers` | the same for how old, late and stuck jobs are, what holds them back, and who works on them |
//! | `series`, `shared`, `activity` | where it is published, and who knows what |
//! | `election`, `lease`, `rights` | which of several watchers exports, and the lease in Redis that decides it if nobody else does, and whether it may be had |
//! | `node`, `reading` | the parts that have connections of their own; what goes with a queue from one to another |
//! | `link`, `control`, `inspector`, `stream`, `follower`, `cluster`, `watcher` | connections, tasks and time; all others are pure |
//!
//! The crate knows nothing of HTTP, of checks, or of who reads the metrics.

mod activity;
mod cluster;
mod control;
mod discovery;
mod election;
mod entry;
mod error;
mod fold;
mod follower;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod inspector;
mod jobs;
mod key;
mod lease;
mod ledger;
mod levels;
mod link;
mod names;
mod node;
mod pauses;
mod reading;
mod refresh;
mod repair;
mod rights;
mod series;
mod shared;
mod signals;
mod stream;
mod survey;
mod table;
mod watcher;
mod workers;

#[cfg(test)]
mod memory_tests;

pub use election::{Election, Tenure};
pub use error::Error;
pub use lease::Lease;
pub use levels::{Levels, State};
pub use rights::check_lease;
pub use watcher::{QueueLevels, QueueStatus, Settings, Status, Tick, Watcher, probe};
