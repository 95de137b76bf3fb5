//! Private files that survive crashes and damage.
//!
//! * A [`Directory`] is private to the user of the process, and locked: one process uses it at a time.
//! * A document is replaced as a whole. After a crash there is the old or the new one.
//! * A [`Log`] is a bounded list of checksummed records. A record is on disk when [`Log::append`] returns; one that a crash
//!   cut off is dropped when the log is opened again.
//!
//! Each file begins with a magic number, its [`Kind`] and a version. A damaged file is renamed, so that it can be examined.
//! A file without the magic number belongs to another program and is never changed.
//!
//! [`read_text`] reads the files that people write instead: only regular files, up to a length. A [`Pattern`] finds them.
//!
//! All functions block. Asynchronous callers use them on threads for blocking work.
//!
//! ```
//! use vigie_store::{Directory, Kind, Loaded};
//!
//! const ALERTS: Kind = Kind::new(*b"ALRT", 1);
//!
//! # let parent = tempfile::tempdir()?;
//! # let path = parent.path().join("state");
//! let directory = Directory::open(&path)?;
//! directory.save("alerts.state", ALERTS, b"[]")?;
//! let loaded = directory.load("alerts.state", ALERTS, 1 << 20)?;
//! assert!(matches!(loaded, Loaded::Document(bytes) if bytes == b"[]"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod directory;
mod error;
pub mod file;
mod format;
mod log;
mod pattern;
#[cfg(test)]
mod tests;
mod text;

pub use directory::{Directory, Loaded, foreign};
pub use error::{Error, Unusable};
pub use format::{Kind, MAX_RECORD_BYTES};
pub use log::{Log, Opened};
pub use pattern::{Pattern, PatternError};
pub use text::{Unreadable, is_path, read_text, read_text_from};

/// The bytes of the records of a log, and the number of damaged bytes, for fuzzing.
///
/// # Errors
/// If the file is not a log of this kind.
pub fn records(bytes: &[u8], kind: Kind) -> Result<(Vec<&[u8]>, usize), Unusable> {
    let contents = format::read(bytes, kind)?;
    Ok((contents.records, contents.damaged))
}
