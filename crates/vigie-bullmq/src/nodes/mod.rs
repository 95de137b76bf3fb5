//! The parts that have connections of their own: servers, databases, masters of a cluster.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `node` | one of them, and what it holds |
//! | `link` | a connection to it |
//! | `commands` | the commands that are sent, and the replies they expect |
//! | `refusals` | which of them a node does not answer |
//! | `cluster` | the task that knows which there are |

pub(crate) mod cluster;
pub(crate) mod commands;
pub(crate) mod link;
pub(crate) mod node;
pub(crate) mod refusals;
