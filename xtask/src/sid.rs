//! Newer versions of Prometheus, Alertmanager and VictoriaMetrics from Debian's unstable suite. The packages are
//! downloaded and unpacked below `target/`; the system's package lists and packages do not change.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use vigie_testkit::sid::{ALL, Program, directory};

use crate::say::say;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Whether all programs are there.
pub(crate) fn is_unpacked() -> bool {
    ALL.iter().all(|program| program.find().is_ok())
}

/// Downloads and unpacks missing programs. Without them some comparisons are ignored, so a failure is reported and
/// does not end the setup.
pub(crate) fn ensure_unpacked() {
    let mut packages: Vec<_> = ALL
        .iter()
        .filter(|program| program.find().is_err())
        .map(|program: &Program| program.package)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return;
    }
    say(&format!(
        "downloading {} from Debian sid into target/servers/sid; nothing is installed",
        packages.join(", ")
    ));
    if let Err(error) = unpack(&packages) {
        say(&format!(
            "not available: {error:#}; the comparisons with newer versions are ignored"
        ));
    }
}

fn unpack(packages: &[&str]) -> anyhow::Result<()> {
    let archive = archive()?;
    let root = directory();
    let work = root.with_extension("new");
    // Left by an interrupted run.
    let _ = fs::remove_dir_all(&work);
    for path in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(work.join(path))?;
    }
    let signed = match Path::new(KEYRING).exists() {
        true => format!("[signed-by={KEYRING}] "),
        false => String::new(),
    };
    fs::write(
        work.join("sources.list"),
        format!("deb {signed}{archive} sid main\n"),
    )?;
    let at = |name: &str| work.join(name).display().to_string();
    let options = [
        format!("Dir::Etc::sourcelist={}", at("sources.list")),
        "Dir::Etc::sourceparts=/dev/null".to_owned(),
        format!("Dir::State::lists={}", at("lists")),
        format!("Dir::Cache={}", work.display()),
        "APT::Sandbox::User=root".to_owned(),
    ];
    let apt_get = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-qq").current_dir(&work);
        for option in &options {
            command.args(["-o", option]);
        }
        run(command.args(words))
    };
    apt_get(&["update"])?;
    apt_get(&[&["download"], packages].concat())?;
    for entry in fs::read_dir(&work)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "deb") {
            run(Command::new("dpkg").arg("-x").arg(&path).arg(&root))?;
        }
    }
    fs::remove_dir_all(&work)?;
    Ok(())
}

/// The archive of this system's packages.
fn archive() -> anyhow::Result<String> {
    let targets = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI)"])
        .args(["Created-By: Packages", "Component: main"])
        .stdin(Stdio::null())
        .output()
        .context("no apt-get")?;
    let targets = String::from_utf8_lossy(&targets.stdout);
    let debian = targets
        .lines()
        .find(|uri| uri.trim_end_matches('/').ends_with("/debian"));
    match debian {
        Some(uri) => Ok(uri.to_owned()),
        None => bail!("this system has no Debian archive in its package sources"),
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start {program}"))?;
    ensure!(status.success(), "{program} failed");
    Ok(())
}
