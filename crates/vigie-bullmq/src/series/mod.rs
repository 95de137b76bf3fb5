//! The published series of a queue. Setting them is the only side effect.
//!
//! | module | contents |
//! | --- | --- |
//! | `figures` | the gauges with the labels `prefix` and `queue` alone |
//! | `compatible` | the metric names of BullMQ's own exporter |
//! | `families` | all metric families |
//! | `levels`, `counts`, `signals` | the levels, the counters and the signals of a queue |

pub(crate) mod compatible;
pub(crate) mod counts;
pub(crate) mod families;
pub(crate) mod figures;
pub(crate) mod levels;
pub(crate) mod signals;
