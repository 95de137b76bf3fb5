//! The tasks that read the nodes.
//!
//! | module | contents |
//! | --- | --- |
//! | `backoff`, `refusals`, `connection` | a connection with deadlines, and the commands that its server refuses |
//! | `survey`, `job_names` | round trips that find and count queues, and that sample job names |
//! | `hints`, `context` | the state that the tasks of all nodes share |
//! | `address` | waiting for an address that cannot be used yet |
//! | `stream`, `reader`, `stacks`, `follower` | a followed stream, the round trips that read streams and stack traces, and the task that does it |
//! | `schedule`, `inspector` | periodic inspections and counts of workers |
//! | `sweeper` | discovery of queues |
//! | `control` | the task that finds, counts and inspects queues |
//! | `tasks` | both tasks of a node |
//! | `cluster` | the task that reads the masters of a cluster, and runs the tasks of each |

pub(crate) mod address;
pub(crate) mod backoff;
pub(crate) mod cluster;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod control;
pub(crate) mod follower;
pub(crate) mod hints;
pub(crate) mod inspector;
pub(crate) mod job_names;
pub(crate) mod reader;
pub(crate) mod refusals;
pub(crate) mod schedule;
pub(crate) mod stacks;
pub(crate) mod stream;
pub(crate) mod survey;
pub(crate) mod sweeper;
pub(crate) mod tasks;
