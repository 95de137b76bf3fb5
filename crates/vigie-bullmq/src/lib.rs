//! BullMQ read from Redis, with reads only: levels, outcomes, run durations, ages, workers.
//!
//! A [`Watcher`] finds every queue of a Redis by itself, counts its jobs by state within a second of a change,
//! and follows its event stream: which job ended how, by name, also when the job is deleted at once, and how long every
//! attempt ran. Now and then it looks how old, how late and how stuck jobs are. What it may have missed it counts too,
//! to the entry. It needs no script, writes nothing, and costs the server far less than BullMQ's own counting.
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
//! | folder | what it knows |
//! | --- | --- |
//! | `events` | the event streams: what they come to, what is remembered meanwhile, what was missed |
//! | `queues` | how queues are found, and their jobs counted |
//! | `signals` | how old, late and stuck jobs are, what holds them back, and who works on them |
//! | `nodes` | the parts that have connections of their own |
//! | `series`, `shared` | where all of it is published, and who knows what |
//! | `watcher` | the handle, and the settings |
//!
//! Connections, tasks and time are in `link`, `cluster`, `survey`, `control`, `inspector`, `stream`, `follower`
//! and `watcher`; all other modules are pure.
//!
//! The crate knows nothing of HTTP, of checks, or of who reads the metrics.

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
