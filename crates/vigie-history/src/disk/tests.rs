#![allow(clippy::unwrap_used)]

use super::*;
use crate::memory::Bounds;
use vigie_promql::Sample;

fn memory() -> Memory {
    Memory::new(Bounds {
        retention: i64::MAX,
        bytes: 1 << 30,
        series: 10,
    })
}

/// A disk whose thread is not running, as if it hung in a write.
fn hanging_disk() -> (Disk, tempfile::TempDir, Memory) {
    let shared = Arc::new(Shared::default());
    let disk = Disk {
        shared,
        thread: None,
    };
    (disk, tempfile::tempdir().unwrap(), memory())
}

fn records(memory: &mut Memory, time: i64) -> Vec<u8> {
    let series = memory.series(&[("a", "1")]).unwrap();
    let sample = Sample { time, value: 7.0 };
    memory.append(series, sample).unwrap();
    let mut records = Vec::new();
    record::scrape(&mut records, time, [(series.slot, 7.0)].into_iter());
    records
}

#[test]
fn commits_do_not_wait_for_a_disk_that_hangs() {
    let (disk, directory, mut memory) = hanging_disk();
    disk.checkpoint(
        Checkpoint {
            blocks: Vec::new(),
            log: record::log(&memory.table),
        },
        &[],
    );
    assert_eq!(disk.state(), DiskState::Working);
    let mut first = records(&mut memory, 1);
    disk.append(&mut first);
    assert!(first.is_empty(), "what is handed over is gone");
    assert_eq!(disk.state(), DiskState::Failing(hangs()));
    // If each commit waited, this would take 15 minutes.
    for time in 2..1_000 {
        disk.append(&mut records(&mut memory, time));
    }
    assert!(!disk.needs_checkpoint(), "nothing is lost yet");

    // Data beyond the limit is dropped; a checkpoint writes it when the disk recovers.
    disk.append(&mut vec![0; MOST_WAITING]);
    assert!(!disk.needs_checkpoint(), "the thread has no time for one");
    let worker = Worker::new(Directory::open(directory.path()).unwrap(), Vec::new(), 0);
    let shared = Arc::clone(&disk.shared);
    let thread = thread::spawn(move || shared.work(worker));
    while !disk.needs_checkpoint() {
        disk.flush(WRITE_TIMEOUT);
    }
    assert!(matches!(disk.state(), DiskState::Failing(_)));
    disk.checkpoint(
        Checkpoint {
            blocks: Vec::new(),
            log: record::log(&memory.table),
        },
        &[],
    );
    assert!(disk.flush(Duration::from_secs(60)));
    assert_eq!(disk.state(), DiskState::Working);
    drop(disk);
    thread.join().unwrap();

    let mut loaded = self::memory();
    let (_disk, found) = Disk::open(directory.path(), &mut loaded).unwrap();
    assert!(found.damaged.is_empty());
    let series = loaded.table.find(&[("a", "1")]).unwrap();
    let mut samples = Vec::new();
    let head = &loaded.table.get(series).unwrap().head;
    head.read(i64::MIN, i64::MAX, &mut samples);
    assert!(samples.iter().map(|sample| sample.time).eq(1..1_000));
}
