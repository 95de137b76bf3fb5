//! Who runs on which core: parties that share a core with their load would be measured together with it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use vigie_testkit::tools::Tool;

const TASKSET: Tool = Tool {
    program: "taskset",
    package: "util-linux",
    major: None,
};

/// Open files: connections on both sides, and some.
const FILES: u64 = 10_000;

/// The core of what is measured.
pub(crate) const MEASURED: usize = 0;
/// The core of all that it is measured with.
pub(crate) const OTHERS: usize = 1;

/// Makes sure that there are two cores, and enough files for many connections.
pub(crate) fn prepare() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores >= 2, "two cores are needed, and {cores} may be used");
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, wanted).context("open files")?;
    let most = limit.maximum.unwrap_or(u64::MAX);
    ensure!(
        most >= FILES,
        "{FILES} open files are needed, and {most} are allowed"
    );
    Ok(())
}

/// A command that runs a program on one core, with nothing of our environment but the path.
pub(crate) fn command(core: usize, program: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(TASKSET.find()?);
    command.env_clear().env("LC_ALL", "C");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.args(["-c", &core.to_string()]).arg(program);
    Ok(command)
}

/// Moves the main thread of a process, or the calling thread, to a core.
pub(crate) fn move_to(core: usize, process: Option<Pid>) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(process, &cores).with_context(|| format!("cannot move to core {core}"))
}
