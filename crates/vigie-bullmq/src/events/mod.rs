//! Aggregation of a queue's events, and detection of missed ones. Everything here is pure.
//!
//! | module | contents |
//! | --- | --- |
//! | `places`, `names` | the job names, and the bounded number of names with series of their own |
//! | `table`, `jobs` | compact storage of the jobs in flight |
//! | `repair`, `ledger` | read position, missed entries, and the outcomes in them |
//! | `pauses` | when a queue was paused |
//! | `batch`, `fold` | aggregation of events, and its results |

pub(crate) mod batch;
pub(crate) mod fold;
pub(crate) mod jobs;
pub(crate) mod ledger;
pub(crate) mod names;
pub(crate) mod pauses;
mod places;
pub(crate) mod repair;
pub(crate) mod table;

#[cfg(test)]
mod memory_tests;
