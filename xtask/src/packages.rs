//! The npm packages of a directory with a lock file.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, bail};
use vigie_testkit::tools;

use crate::say::say;

/// Installs the packages if they are missing or older than the lock file.
pub(crate) fn ensure(directory: &Path) -> anyhow::Result<()> {
    let time = |file: &str| -> Option<SystemTime> {
        directory.join(file).metadata().ok()?.modified().ok()
    };
    let name = directory.file_name().unwrap_or_default().display();
    let list = time("package-lock.json")
        .with_context(|| format!("{name}/package-lock.json is missing"))?;
    // npm writes this file at the end.
    if time("node_modules/.package-lock.json").is_some_and(|installed| installed >= list) {
        return Ok(());
    }
    say(&format!("running npm ci in {name}/"));
    let status = Command::new(tools::NPM.find()?)
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .status()
        .context("cannot start npm")?;
    if !status.success() {
        bail!("npm ci failed in {name}/");
    }
    Ok(())
}
