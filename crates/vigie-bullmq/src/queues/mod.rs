//! The queues: how they are found, and how their jobs are counted.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `key` | the names of a queue's keys |
//! | `levels`, `discovery` | the commands that count and find, and their replies |
//! | `refresh` | which queues to count when |
//! | `survey`, `control` | who asks, and the task that does it for a node; all others are pure |

pub(crate) mod control;
pub(crate) mod discovery;
pub(crate) mod key;
pub(crate) mod levels;
pub(crate) mod refresh;
pub(crate) mod survey;
