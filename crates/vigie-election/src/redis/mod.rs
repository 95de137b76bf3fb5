//! A lease as a key in Redis.
//!
//! The key holds the name of its holder and expires after the period. It is changed only in a transaction that fails if
//! another client changed it after it was read (`WATCH`), or if it expired; no script is needed.
//!
//! A holder counts its period from before it sent the request, so its tenure ends no later than the key does. Two holders
//! exist at once only if the key disappears early: it was deleted, the server restarted without it, or its clock was set
//! forward. The first then learns of it at its next renewal, and loses its tenure after one period in any case.

mod error;
mod key;
mod rights;

pub use error::Error;
pub(crate) use key::Key;
pub use key::Settings;
pub use rights::check;
