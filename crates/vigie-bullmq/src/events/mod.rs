//! The event stream of a queue: reading, aggregation, and detection of missed entries.
//!
//! | module | contents |
//! | --- | --- |
//! | `entry` | parsing of stream replies |
//! | `fold`, `names`, `pauses` | aggregation of events |
//! | `jobs`, `table` | compact storage of the jobs in flight |
//! | `ledger`, `repair` | read position, missed entries, and the outcomes in them |
//! | `reading` | state that moves with a queue from one node to another |
//! | `activity` | whether a queue changed since its jobs were counted |
//! | `stream`, `follower` | one followed stream, and the task that follows all streams of a node; all others are pure |

pub(crate) mod activity;
pub(crate) mod entry;
pub(crate) mod fold;
pub(crate) mod follower;
pub(crate) mod jobs;
pub(crate) mod ledger;
pub(crate) mod names;
pub(crate) mod pauses;
pub(crate) mod reading;
pub(crate) mod repair;
pub(crate) mod stream;
pub(crate) mod table;

#[cfg(test)]
mod memory_tests;
