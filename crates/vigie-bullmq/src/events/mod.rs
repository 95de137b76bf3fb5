//! The event stream of a queue: what is read of it, what that comes to, and what was missed.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `entry` | what the server answers |
//! | `fold`, `names`, `pauses` | what events come to |
//! | `jobs`, `table` | what is remembered of jobs meanwhile, and in how little memory |
//! | `ledger`, `repair` | where the reading stands, what was missed, and what of it ended |
//! | `reading` | what goes with a queue from one node to another |
//! | `activity` | what the reading tells those who count jobs |
//! | `stream`, `follower` | one stream as it is followed, and the task that follows all of a node; all others are pure |

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
