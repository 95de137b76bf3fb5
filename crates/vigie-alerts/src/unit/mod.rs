//! Unit tests of rules, in the format of `promtool test rules`.
//!
//! [`load`] reads a file, with positions; [`run`] evaluates its rules over its series and compares the alerts and
//! samples with the expected ones. The results are those of promtool 3.5; in 2.42 the interval of a test is required.

mod file;
mod input;
mod load;
mod outcome;
mod run;
mod samples;
#[cfg(test)]
mod tests;

pub use file::{Alert, Loaded, Test, UnitFile};
pub use load::load;
pub use outcome::{Failure, Outcome};
pub use run::run;
#[cfg(test)]
pub(crate) use samples::Samples;
