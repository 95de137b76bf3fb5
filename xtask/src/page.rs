//! `cargo xtask page`: builds the web page, which the next compilation of Vigie embeds.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::SystemTime;
use std::{fs, io};

use anyhow::{Context, bail};
use vigie_testkit::tools;

use crate::cargo::root;
use crate::packages;
use crate::say::say;

/// The sources of the built page, in `page/`.
const SOURCES: [&str; 6] = [
    "src",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];
const BUILT: &str = "dist/files/index.html";

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    ensure()?;
    say("the page is built; compile Vigie to embed it");
    Ok(ExitCode::SUCCESS)
}

/// Builds the page if it is missing or older than its sources.
pub(crate) fn ensure() -> anyhow::Result<()> {
    let page = root().join("page");
    packages::ensure(&page)?;
    if is_current(&page)? {
        return Ok(());
    }
    say("building the web page");
    let status = Command::new(tools::NPM.find()?)
        .args(["run", "--silent", "build"])
        .current_dir(&page)
        .stdin(Stdio::null())
        .status()
        .context("cannot start npm")?;
    if !status.success() {
        bail!("the web page cannot be built (npm run build in page/)");
    }
    Ok(())
}

fn is_current(page: &Path) -> io::Result<bool> {
    let Ok(built) = page.join(BUILT).metadata().and_then(|meta| meta.modified()) else {
        return Ok(false);
    };
    let mut newest = SystemTime::UNIX_EPOCH;
    for source in SOURCES {
        newest = newest.max(modified(&page.join(source))?);
    }
    Ok(built >= newest)
}

/// The latest change of a file, or of anything in a directory.
fn modified(path: &PathBuf) -> io::Result<SystemTime> {
    let mut latest = path.metadata()?.modified()?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            latest = latest.max(modified(&entry?.path())?);
        }
    }
    Ok(latest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_page_is_current_until_a_source_changes() {
        let page = tempfile::tempdir().unwrap();
        for source in SOURCES.iter().filter(|source| **source != "src") {
            fs::write(page.path().join(source), "").unwrap();
        }
        fs::create_dir_all(page.path().join("src/view")).unwrap();
        let inner = page.path().join("src/view/a.ts");
        fs::write(&inner, "").unwrap();
        assert!(!is_current(page.path()).unwrap());
        let built = page.path().join(BUILT);
        fs::create_dir_all(built.parent().unwrap()).unwrap();
        fs::write(&built, "").unwrap();
        assert!(is_current(page.path()).unwrap());
        let later = SystemTime::now() + Duration::from_secs(5);
        let file = fs::File::options().write(true).open(&inner).unwrap();
        file.set_modified(later).unwrap();
        assert!(!is_current(page.path()).unwrap());
    }
}
