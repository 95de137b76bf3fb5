//! The service is killed with SIGKILL at random moments, and started again from its files.
//!
//! The killed process is this program with other arguments. It plays a rule engine, whose alerts follow a script, and a receiver,
//! which writes every attempt and every accepted message into a file, and fails now and then. Its clock is virtual, so that many
//! messages are sent in the time between two kills.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "support/killed.rs"]
mod killed;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use tempfile::TempDir;

use killed::{LOG, PROGRESS, Place, Random, is_firing};

const KILLS: u64 = 100;
/// How many milliseconds at least a run may take to start. Then it is killed, which is no failure of the test.
const START_POLLS: u32 = 30_000;
/// The steps of the script after the last kill.
const LAST_STEPS: u64 = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, first, directory, run, begin, end] = &arguments[..]
        && first == "service"
    {
        let number = |text: &str| text.parse().unwrap();
        killed::run(Place {
            directory: directory.into(),
            run: number(run),
            begin: number(begin),
            end: number(end),
        });
        return ExitCode::SUCCESS;
    }
    let test = Trial::test("nothing_is_lost_or_stuck_after_any_kill", || {
        nothing_is_lost();
        Ok(())
    });
    let limited = Trial::test("nothing_is_lost_if_a_file_cannot_grow", || {
        nothing_is_lost_without_room();
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![test, limited]).exit_code()
}

fn nothing_is_lost() {
    let directory = TempDir::new().unwrap();
    let mut random = Random(seed());
    for run in 0..KILLS {
        let begin = progress(directory.path());
        let mut child = command(directory.path(), run, begin, u64::MAX)
            .spawn()
            .unwrap();
        // Some are killed while they start.
        if run % 4 != 0 {
            for _ in 0..START_POLLS {
                if progress(directory.path()) > begin {
                    break;
                }
                sleep(Duration::from_millis(1));
            }
        }
        sleep(Duration::from_millis(random.next() % 100));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "run {run} ended by itself");
    }
    let begin = progress(directory.path());
    assert!(begin > KILLS / 2, "only {begin} steps in {KILLS} runs");
    let end = begin + LAST_STEPS;
    let output = command(directory.path(), KILLS, begin, end)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = fs::read_to_string(directory.path().join(LOG)).unwrap();
    println!(
        "{begin} steps, {} lines of the receivers' log",
        log.lines().count()
    );
    check(&log, end);
}

/// Writes beyond a size fail, some of them in the middle of a record.
fn nothing_is_lost_without_room() {
    const STEPS: u64 = 120;
    let play = |blocks: &str| {
        let directory = TempDir::new().unwrap();
        // The signal must be ignored for the write to return an error.
        let limits = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command
            .args(["-c", &limits])
            .arg(std::env::current_exe().unwrap());
        command.arg("service").arg(directory.path());
        command.args(["0", "0", &STEPS.to_string()]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let log = fs::read_to_string(directory.path().join(LOG)).unwrap();
        check(&log, STEPS);
        let state = directory.path().join("state/notifications.log");
        fs::metadata(state).unwrap().len()
    };
    let needed = play("unlimited");
    let most = needed / 2;
    // In units of 1,024 bytes. The receivers' log is shorter.
    let used = play(&(most / 1_024).to_string());
    assert!(used <= most, "{used} bytes of {needed}");
}

fn command(directory: &Path, run: u64, begin: u64, end: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("service").arg(directory);
    command.args([run, begin, end].map(|number| number.to_string()));
    command.stdout(Stdio::null());
    command
}

/// Another one for each run of the test; it is printed with a failure.
fn seed() -> u64 {
    let seed = std::process::id().into();
    println!("seed {seed}");
    seed
}

/// The number of steps whose alerts are on disk.
fn progress(directory: &Path) -> u64 {
    let steps = fs::read_to_string(directory.join(PROGRESS)).unwrap_or_default();
    // The last line can be cut.
    let whole = steps.lines().filter_map(|line| line.strip_suffix(" ."));
    let last = whole.filter_map(|line| line.split(' ').next()).next_back();
    last.map_or(0, |step| step.parse::<u64>().unwrap() + 1)
}

/// An entry of the receivers' log.
struct Line<'a> {
    run: u64,
    /// `begin`, `accept`, or `unsure`: accepted, but not answered.
    what: &'a str,
    receiver: &'a str,
    group: &'a str,
    firing: BTreeSet<&'a str>,
    resolved: BTreeSet<&'a str>,
    /// Whether an attempt with another content began after it.
    is_followed: bool,
}

impl Line<'_> {
    fn is_same(&self, other: &Self) -> bool {
        self.firing == other.firing && self.resolved == other.resolved
    }
}

fn line(text: &str) -> Option<Line<'_>> {
    let parts: Vec<&str> = text.split(' ').collect();
    let [run, what, receiver, group, firing, resolved, "."] = parts[..] else {
        return None;
    };
    Some(Line {
        run: run.parse().ok()?,
        what,
        receiver,
        group,
        firing: names(firing),
        resolved: names(resolved),
        is_followed: false,
    })
}

fn names(list: &str) -> BTreeSet<&str> {
    list.split(',').filter(|name| *name != "-").collect()
}

fn check(log: &str, steps: u64) {
    /// The state of an alert according to the messages that a receiver got.
    #[derive(Default)]
    struct Told {
        /// Whether a firing message may have been delivered since the last accepted resolved one.
        may_fire: bool,
        /// Whether the alert fires according to the last accepted message.
        fires: Option<bool>,
    }
    let mut told: BTreeMap<(&str, &str), Told> = BTreeMap::new();
    let mut last: BTreeMap<(&str, &str), Line<'_>> = BTreeMap::new();
    let mut unfinished = 0;
    for text in log.lines() {
        let Some(line) = line(text) else {
            unfinished += 1;
            continue;
        };
        let receiver = line.receiver;
        let key = (receiver, line.group);
        // Until a message of the group is confirmed in this run, it is not known which ones were delivered before.
        let is_first = last
            .get(&key)
            .is_none_or(|before| before.run != line.run || before.what == "unsure");
        for name in &line.resolved {
            let told = told.entry((receiver, name)).or_default();
            assert!(
                told.may_fire || is_first,
                "no firing message about {name} was begun before: {text}"
            );
            told.may_fire &= line.what != "accept";
        }
        if line.what == "begin" {
            // Another message may have been delivered in between.
            if let Some(before) = last.get_mut(&key) {
                before.is_followed |= !before.is_same(&line);
            }
            for name in &line.firing {
                told.entry((receiver, name)).or_default().may_fire = true;
            }
            continue;
        }
        for name in &line.firing {
            told.entry((receiver, name)).or_default().fires = Some(true);
        }
        for name in &line.resolved {
            told.entry((receiver, name)).or_default().fires = Some(false);
        }
        if let Some(before) = last.get(&key) {
            let excused = before.run != line.run || before.what == "unsure" || before.is_followed;
            assert!(
                !before.is_same(&line) || excused,
                "sent twice without need: {text}"
            );
        }
        last.insert(key, line);
    }
    // A line that was cut off by a kill.
    assert!(unfinished <= KILLS, "{unfinished} lines are not whole");
    for ((receiver, name), told) in told {
        let fires = is_firing(name, steps);
        assert_eq!(
            told.fires.unwrap_or(false),
            fires,
            "{receiver} was told otherwise of {name}"
        );
    }
    for name in killed::names(steps) {
        let fires = is_firing(&name, steps);
        let known = last.values().any(|line| line.firing.contains(&*name));
        assert!(!fires || known, "{name} is lost");
    }
}
