//! What the system says that a process has used.
#![allow(unsafe_code)] // only in `cpu_exact`; the proofs stand there

use std::fs::read_to_string;
use std::time::Duration;

use anyhow::{Context, ensure};

/// The processor time of a process: user and system, all its threads.
pub(crate) fn cpu(process: u32) -> anyhow::Result<Duration> {
    cpu_of(&format!("/proc/{process}/stat"))
}

/// The processor time of a process in nanoseconds, all its threads, also those that have ended.
pub(crate) fn cpu_exact(process: u32) -> anyhow::Result<Duration> {
    let mut clock = 0;
    // SAFETY: `clock` is valid for the write of a clock's number, which is all that the call accesses.
    let error = unsafe { libc::clock_getcpuclockid(process as libc::pid_t, &raw mut clock) };
    ensure!(error == 0, "process {process} has no processor clock");
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for the write of a time, which is all that the call accesses.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    ensure!(
        failed == 0,
        "the processor clock of process {process} cannot be read"
    );
    let [seconds, nanos] = [time.tv_sec, time.tv_nsec].map(u64::try_from);
    Ok(Duration::from_secs(seconds?) + Duration::from_nanos(nanos?))
}

/// The processor time of one thread of ours.
pub(crate) fn cpu_of_thread(thread: i32) -> anyhow::Result<Duration> {
    cpu_of(&format!("/proc/self/task/{thread}/stat"))
}

fn cpu_of(path: &str) -> anyhow::Result<Duration> {
    let stat = read_to_string(path).with_context(|| path.to_owned())?;
    let ticks = ticks(&stat).with_context(|| format!("{path}: {stat}"))?;
    let second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / second as f64))
}

/// utime and stime. The second field, a name in parentheses, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// The resident memory of a process, in bytes.
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    status(process, "VmRSS:")
}

/// The most memory of a process that was ever resident, in bytes.
pub(crate) fn resident_peak(process: u32) -> anyhow::Result<u64> {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.with_context(|| format!("{path} says no {name}"))? * 1024)
}

/// The only child of a process.
pub(crate) fn only_child(process: u32) -> anyhow::Result<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let children = read_to_string(&path).with_context(|| path.clone())?;
    let child = children.trim().parse();
    child.with_context(|| {
        format!(
            "{path}: one child was expected, found `{}`",
            children.trim()
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_the_fields_that_it_says() {
        let stat = "7 (a (b) 1 2) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 5 6 20 0 1 0 9 1 1";
        assert_eq!(ticks(stat), Some(42));
        let process = std::process::id();
        assert!(resident(process).unwrap() > 1 << 16);
        assert!(resident_peak(process).unwrap() > 1 << 16);
        let coarse = cpu(process).unwrap();
        let exact = cpu_exact(process).unwrap();
        // The coarse one is in ticks, which are 10 ms or less.
        assert!(
            exact + Duration::from_millis(20) > coarse,
            "{exact:?}, {coarse:?}"
        );
        assert!(exact > Duration::ZERO);
    }
}
