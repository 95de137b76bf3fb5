//! A followed queue: its state, behind one lock, and its series.
//!
//! | module | contents |
//! | --- | --- |
//! | `holder`, `keyspace` | the node that reads a queue, and the keyspace that contains it |
//! | `activity` | whether a queue changed since its jobs were counted |
//! | `reading`, `handover` | read position and counts, which one task has at a time |
//! | `state` | the state |
//! | `events`, `inspecting` | how events and inspections change the state |
//! | `followed` | the lock around the state, and publication |
//!
//! Everything except `followed` and `keyspace`, which contain locks, is pure.

pub(crate) mod activity;
pub(crate) mod events;
pub(crate) mod followed;
pub(crate) mod handover;
pub(crate) mod holder;
pub(crate) mod inspecting;
pub(crate) mod keyspace;
pub(crate) mod reading;
pub(crate) mod state;
