//! A full disk: the history continues in memory, reports it, and writes everything when there is space again.
//!
//! The child may only write files of a few KiB (`RLIMIT_FSIZE`), so the kernel refuses writes with EFBIG, as a full
//! disk does with ENOSPC. A shell makes the child ignore the accompanying signal.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::support::{check_truth, scrape_truth};
use crate::{PATH, open, turn};
use rustix::process::{Resource, Rlimit, setrlimit};
use vigie_history::DiskState;

const SERIES: usize = 50;

fn largest_file(bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

#[test]
#[ignore = "run by the other test, under a limit"]
fn child() {
    // Without the other test it has nothing to do.
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let history = open(&PathBuf::from(path));
    let mut appender = history.appender();
    let mut time = 0;
    let mut append = |scrapes: i64| {
        for _ in 0..scrapes {
            time += 15_000;
            let committed = scrape_truth(&mut appender, time, SERIES);
            assert_eq!(committed.samples, SERIES as u64);
        }
        history.flush(Duration::from_secs(60))
    };
    let whole = |scrapes: usize| {
        let times = check_truth(&history);
        assert_eq!(times.len(), scrapes);
        assert!(times.values().all(|&count| count == SERIES));
    };

    assert!(append(10));
    assert_eq!(history.stats().disk, DiskState::Working);

    // The log ends within a record; a new one, which starts with the whole head, is shorter.
    largest_file(Some(12_345));
    append(50);
    whole(60);

    // No file can be written.
    largest_file(Some(1_000));
    assert!(!append(1));
    let DiskState::Failing(why) = history.stats().disk else {
        panic!("{:?}", history.stats());
    };
    assert!(why.contains("File too large"), "{why}");
    whole(61);

    // For several hours, with blocks sealed.
    assert!(!append(699));
    assert!(matches!(history.stats().disk, DiskState::Failing(_)));
    whole(760);

    largest_file(None);
    assert!(append(1), "there is room again");
    assert_eq!(history.stats().disk, DiskState::Working);
    assert!(append(5));
    whole(766);
}

#[test]
fn a_full_disk_does_not_lose_samples_in_memory() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args([
            "-c",
            r#"trap '' XFSZ; exec "$0" --exact full::child --ignored --nocapture"#,
        ])
        .arg(std::env::current_exe().unwrap())
        .env(PATH, directory.path())
        .status();
    assert!(child.unwrap().success());

    let history = open(directory.path());
    assert!(
        history.loaded().damaged.is_empty(),
        "{:?}",
        history.loaded()
    );
    let times = check_truth(&history);
    assert_eq!(times.len(), 766);
    assert!(times.values().all(|&count| count == SERIES));
}
