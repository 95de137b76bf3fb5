//! A process is killed at arbitrary times: all samples that were reported as written exist, and no sample is wrong.
#![allow(clippy::print_stdout)] // the child reports its commits

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::traffic::Dice;
use crate::support::{check_truth, scrape_truth};
use crate::{PATH, open, turn};

const SERIES: usize = 50;
const EVERY: i64 = 15_000;

/// The child: appends continuously, an hour of scrapes at a time, so that it is killed in all stages.
#[test]
#[ignore = "run by the other test, which kills it"]
fn child() {
    // Without the other test it has nothing to do.
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let history = open(&PathBuf::from(path));
    let mut appender = history.appender();
    let mut time = history.stats().newest.unwrap_or(0);
    loop {
        time += EVERY;
        scrape_truth(&mut appender, time, SERIES);
        if history.flush(Duration::from_secs(60)) {
            println!("written {time}");
            std::io::stdout().flush().unwrap();
        }
    }
}

#[test]
fn written_samples_survive_a_kill() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child", "--ignored", "--nocapture"])
            .env(PATH, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut written = lines.filter_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("written ")?.parse::<i64>().ok()
        });
        let mut last = None;
        for _ in 0..dice.below(500) + 1 {
            last = written.next();
        }
        let moment = std::thread::spawn(move || {
            // Not always right after a line.
            std::thread::sleep(Duration::from_micros(dice.below(3_000)));
            child.kill().unwrap();
            child.wait().unwrap();
            dice
        });
        // Lines written before the process died count.
        let last = written.last().or(last).unwrap();
        dice = moment.join().unwrap();

        let history = open(directory.path());
        let times = check_truth(&history);
        let newest = *times.keys().last().unwrap();
        assert!(
            (last..=last + EVERY).contains(&newest),
            "round {round}: {newest}, written {last}"
        );
        let oldest = *times.keys().next().unwrap();
        assert_eq!(
            times.len() as i64,
            (newest - oldest) / EVERY + 1,
            "round {round}: a hole"
        );
        assert!(
            times.values().all(|&count| count == SERIES),
            "round {round}: half a scrape"
        );
        assert!(newest - oldest <= 26 * 3_600_000);
    }
}
