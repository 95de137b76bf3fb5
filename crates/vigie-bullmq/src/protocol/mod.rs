//! The data of BullMQ in Redis: keys, commands, and parsing of replies. Everything here is pure.
//!
//! | module | contents |
//! | --- | --- |
//! | `version`, `key` | the versions of BullMQ, and the names of a queue's keys |
//! | `values`, `errors` | numbers, times and errors in replies |
//! | `levels`, `counting`, `markers` | the states of jobs, the commands that count them, entries that are not jobs |
//! | `outcome` | the outcomes of jobs and attempts |
//! | `discovery` | the commands that find queues |
//! | `entry`, `check` | the entries of an event stream, and the server's counts of them |
//! | `clients` | the workers in a list of clients |
//! | `commands` | all commands, with the expected replies |

pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod commands;
pub(crate) mod counting;
pub(crate) mod discovery;
pub(crate) mod entry;
pub(crate) mod errors;
pub(crate) mod key;
pub(crate) mod levels;
pub(crate) mod markers;
pub(crate) mod outcome;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod values;
pub(crate) mod version;
