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

/// Open files of a process with 9,800 connections on both sides, and some: a usual maximum is 20,000.
pub(crate) const MANY_FILES: u64 = 19_800;
/// Open files that are enough for the other measurements.
const FILES: u64 = 10_000;

/// The core of what is measured.
pub(crate) const MEASURED: usize = 0;
/// The core of all that it is measured with.
pub(crate) const OTHERS: usize = 1;

/// Makes sure that there are two cores, and enough files for many connections. Returns how many files may be open.
pub(crate) fn prepare() -> anyhow::Result<u64> {
    // An earlier measurement may have moved this thread to one core.
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| all.set(core));
    sched_setaffinity(None, &all).context("cannot use all cores")?;
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores >= 2, "two cores are needed, and {cores} may be used");
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: Some(most.max(MANY_FILES)),
        maximum: Some(most.max(MANY_FILES)),
    };
    // Only root may raise the maximum.
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => most.max(MANY_FILES),
        Err(_) => {
            let wanted = Rlimit {
                current: limit.maximum,
                ..limit
            };
            setrlimit(Resource::Nofile, wanted).context("open files")?;
            most
        }
    };
    ensure!(
        files >= FILES,
        "{FILES} open files are needed, and {files} are allowed"
    );
    Ok(files)
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
