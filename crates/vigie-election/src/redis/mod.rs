//! A lease as a key in Redis.
//!
//! The value of the key is the name of the holder, and the key expires after the period. It is changed only in a
//! transaction, which fails if another client changed it after it was read (`WATCH`), or if it expired; no script is
//! needed.
//!
//! A holder counts its period from before it sent the request, so its tenure does not outlast the key. Two holders
//! coexist only if the key disappears early: it was deleted, the server restarted without it, or its clock was set
//! forward. The first one detects this at its next renewal, and loses its tenure after one period at the latest.

mod error;
mod key;
mod rights;

pub use error::Error;
pub(crate) use key::Key;
pub use key::Settings;
pub use rights::check;
