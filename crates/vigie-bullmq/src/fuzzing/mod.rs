//! Invariants for any server behaviour, shared by the property test and the fuzzer; both supply bytes.
//!
//! The bytes select a sequence of steps: valid and invalid entries are added to a stream, which is trimmed, read in
//! parts, and reconciled with the server's counts as the follower does. A second reading receives entries in any order.

mod failures;
pub(crate) mod input;
pub(crate) mod reader;
pub(crate) mod server;
mod story;

pub use failures::any_failures;
pub use story::any_story;
