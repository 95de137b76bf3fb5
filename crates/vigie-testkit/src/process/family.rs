//! The descendants of a process, and signals to them.

use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

use crate::Error;

/// A shell that waits until its input ends, which happens when the owner dies, and then kills the group and the
/// children that left it.
pub(super) fn guard(group: u32) -> Result<Child, Error> {
    let script =
        "read -r _; kids=$(cat /proc/$0/task/*/children 2>/dev/null); kill -s KILL -- -$0 $kids";
    Command::new("/bin/sh")
        .args(["-c", script, &group.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Error::io("cannot start /bin/sh"))
}

pub(super) fn send(by: fn(Pid, Signal) -> rustix::io::Result<()>, pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended in the meantime.
        let _ = by(pid, signal);
    }
}

/// Whether there is no such process, or only its exit status.
pub(super) fn has_ended(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    // The name, in parentheses, may contain anything.
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_none_or(|state| state.starts_with(['Z', 'X']))
}

/// All descendants.
pub(super) fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().parse::<u32>();
        let stat = std::fs::read_to_string(entry.path().join("stat"));
        if let (Ok(pid), Ok(stat)) = (pid, stat)
            && let Some((_, rest)) = stat.rsplit_once(") ")
            && let Some(parent) = rest.split(' ').nth(1).and_then(|word| word.parse().ok())
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut family = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        let found = children.remove(&pid).unwrap_or_default();
        family.extend(&found);
        next.extend(found);
    }
    family
}
