//! The queues: how they are found, and how their jobs are counted.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `key` | the names of a queue's keys |
//! | `levels`, `discovery` | the commands that count and find, and their replies |
//! | `markers` | which entries of their lists are no jobs |
//! | `names` | the names of the jobs that Redis still has |
//! | `refresh` | which queues to count when |
//! | `survey`, `control` | the round trips, and the task that makes them for a node; all others are pure |

pub(crate) mod control;
pub(crate) mod discovery;
pub(crate) mod key;
pub(crate) mod levels;
pub(crate) mod markers;
pub(crate) mod names;
pub(crate) mod refresh;
pub(crate) mod survey;
