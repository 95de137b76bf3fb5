//! The units with connections of their own: servers, databases, masters of a cluster.
//!
//! | module | contents |
//! | --- | --- |
//! | `node` | one unit, and its state |
//! | `link` | a connection to it |
//! | `commands` | the commands that are sent, and the expected replies |
//! | `refusals` | the commands that a node refuses |
//! | `cluster` | the task that reads the masters of a cluster |

pub(crate) mod cluster;
pub(crate) mod commands;
pub(crate) mod link;
pub(crate) mod node;
pub(crate) mod refusals;
