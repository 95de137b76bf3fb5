//! A file on a disk that hangs: whoever opens it waits.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Error, Process, tools};

const WITHIN: Duration = Duration::from_secs(60);

/// A file that nobody can open until this is dropped, or until the kernel ends the lease on it: after 45 seconds, unless
/// `/proc/sys/fs/lease-break-time` says otherwise.
pub struct HeldFile(Process);

impl HeldFile {
    /// Holds an existing file, once no process has it open.
    ///
    /// # Errors
    /// If Python is absent, or the file cannot be held within a minute.
    pub async fn hold(path: &Path) -> Result<Self, Error> {
        let mut command = Command::new(tools::PYTHON.find()?);
        command.args(["-c", include_str!("held_file.py")]).arg(path);
        let mut process = Process::spawn("held file", command)?;
        process.next_line(WITHIN).await?;
        Ok(Self(process))
    }

    /// Waits until a process tries to open it, and waits.
    ///
    /// # Errors
    /// If none does within a minute.
    pub async fn awaited(&mut self) -> Result<(), Error> {
        self.0.next_line(WITHIN).await.map(drop)
    }
}
