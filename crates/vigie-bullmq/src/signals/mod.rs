//! Signals of a queue besides its levels: job age, lateness and stalls, limits, and pauses. Everything here is pure.
//!
//! An [inspection](inspection::Inspection) of one queue is a plain value that appends the commands of its next step and
//! takes the replies. The inspections of all queues advance together, so that each step is one round trip for all of
//! them.
//!
//! | module | contents |
//! | --- | --- |
//! | `clock` | times by the server's clock |
//! | `events` | the interface to the state that comes from the event stream |
//! | `ask` | the commands and replies of a step |
//! | `active`, `children`, `due`, `held`, `waiting` | one signal each |
//! | `inspection` | all signals of a queue |

mod active;
pub(crate) mod ask;
mod children;
pub(crate) mod clock;
mod due;
pub(crate) mod events;
mod held;
pub(crate) mod inspection;
#[cfg(test)]
mod testing;
mod waiting;
