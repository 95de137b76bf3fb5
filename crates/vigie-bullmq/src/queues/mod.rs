//! Discovery of queues, and job counts.
//!
//! | module | contents |
//! | --- | --- |
//! | `key` | the names of a queue's keys |
//! | `levels`, `discovery` | the commands that count and find, and parsing of their replies |
//! | `markers` | list entries that are not jobs |
//! | `names` | the names of jobs that are still in Redis |
//! | `refresh` | selection of the queues to count |
//! | `survey`, `control` | the round trips, and the task that makes them for a node; all others are pure |

pub(crate) mod control;
pub(crate) mod discovery;
pub(crate) mod key;
pub(crate) mod levels;
pub(crate) mod markers;
pub(crate) mod names;
pub(crate) mod refresh;
pub(crate) mod survey;
