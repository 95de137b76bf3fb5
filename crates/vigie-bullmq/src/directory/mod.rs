//! Which queues are followed, and which node reads each.
//!
//! | module | contents |
//! | --- | --- |
//! | `node` | a watched node, and the results of its last attempts |
//! | `plan` | assignment of queues to nodes |
//! | `snapshot` | the queues and nodes at one time, as an immutable value |
//! | `current` | the current snapshot, behind a lock, and its changes |
//! | `refresh` | selection of the queues to count |
//!
//! Everything except `current` and `node`, which contain locks, is pure.

pub(crate) mod current;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod refresh;

pub(crate) mod snapshot;
