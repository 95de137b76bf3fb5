//! Truncated, damaged, exchanged and foreign files: no sample is wrong, and the intact rest is loaded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::traffic::Dice;
use crate::support::{all, check_truth, scrape_truth};
use vigie_history::{DiskState, Error, History, Settings};

const SERIES: usize = 20;
/// Three blocks and part of an hour.
const SCRAPES: usize = 800;

fn settings(path: &Path) -> Settings {
    Settings {
        path: Some(path.to_owned()),
        ..Settings::default()
    }
}

fn write(path: &Path) {
    let history = History::open(&settings(path)).unwrap();
    let mut appender = history.appender();
    for at in 0..SCRAPES {
        scrape_truth(&mut appender, at as i64 * 15_000, SERIES);
    }
    assert!(history.flush(Duration::from_secs(60)));
}

/// The marker of the directory, which is independent of the other files.
const MARKER: &str = "vigie-history";

type Files = BTreeMap<String, Vec<u8>>;

fn files(path: &Path) -> Files {
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    };
    let is_marker = |(name, _): &(String, _)| name == MARKER;
    entries.map(file).filter(|file| !is_marker(file)).collect()
}

/// Opens a history of these files, and counts its samples.
fn count(files: &Files) -> (usize, usize) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(MARKER), b"VIGIE-H\n").unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let history = History::open(&settings(directory.path())).unwrap();
    let samples = check_truth(&history).values().sum();
    let damaged = history.loaded().damaged.len();

    // The history is usable, and the loaded samples persist.
    let mut appender = history.appender();
    assert_eq!(
        scrape_truth(&mut appender, 10_000_000_000, SERIES).samples,
        SERIES as u64
    );
    assert!(history.flush(Duration::from_secs(60)));
    assert_eq!(history.stats().disk, DiskState::Working);
    (samples, damaged)
}

fn written() -> Files {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let files = files(directory.path());
    let kind = |kind: &str| files.keys().filter(|name| name.ends_with(kind)).count();
    assert_eq!((kind(".block"), kind(".log"), files.len()), (3, 1, 4));
    files
}

#[test]
fn intact_files_are_loaded_completely() {
    assert_eq!(count(&written()), (SERIES * SCRAPES, 0));
}

#[test]
fn a_flipped_byte_loses_at_most_an_hour_of_a_series_or_a_scrape() {
    let files = written();
    let mut dice = Dice(1);
    for round in 0..150 {
        let mut damaged = files.clone();
        let (name, bytes) = damaged.iter_mut().nth(round % files.len()).unwrap();
        // The first bytes identify the file.
        let at = 13 + dice.below(bytes.len() as u64 - 13) as usize;
        bytes[at] ^= 1 << dice.below(8);
        let name = name.clone();
        let (samples, told) = count(&damaged);
        let lost = SERIES * SCRAPES - samples;
        assert!(lost <= 240, "{lost} samples for byte {at} of {name}");
        assert_eq!(told, 1, "byte {at} of {name}");
    }
}

#[test]
fn a_damaged_header_loses_the_file() {
    let files = written();
    for name in files.keys() {
        let mut damaged = files.clone();
        damaged.get_mut(name).unwrap()[3] ^= 4;
        let (samples, told) = count(&damaged);
        assert!(
            samples >= SERIES * (SCRAPES - 248),
            "{samples} without {name}"
        );
        assert_eq!(told, 1);
    }
}

#[test]
fn a_truncated_log_loses_its_end() {
    let files = written();
    let log = files.keys().find(|name| name.ends_with(".log")).unwrap();
    let mut dice = Dice(2);
    let mut last = None;
    let length = files[log].len();
    let mut cuts: Vec<_> = (0..60)
        .map(|_| dice.below(length as u64) as usize)
        .collect();
    cuts.sort_unstable();
    for cut in cuts {
        let mut torn = files.clone();
        torn.get_mut(log).unwrap().truncate(cut);
        let (samples, _) = count(&torn);
        assert!(Some(samples) >= last, "more bytes, fewer samples at {cut}");
        last = Some(samples);
    }
}

#[test]
fn several_kinds_of_damage_at_once() {
    let files = written();
    let mut dice = Dice(3);
    for _ in 0..60 {
        let mut damaged = files.clone();
        for bytes in damaged.values_mut() {
            for _ in 0..dice.below(4) {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] = dice.next() as u8;
            }
            if dice.below(3) == 0 {
                bytes.truncate(dice.below(bytes.len() as u64) as usize);
            }
        }
        damaged.retain(|_, _| dice.below(5) > 0);
        count(&damaged);
    }
}

#[test]
fn random_files_are_not_loaded() {
    let mut dice = Dice(4);
    let head = written().into_values().map(|bytes| bytes[..13].to_vec());
    let heads: Vec<_> = head.collect();
    for round in 0..20 {
        let mut files = Files::new();
        for (at, head) in heads.iter().enumerate() {
            let noise = (0..5_000).map(|_| dice.next() as u8);
            let bytes = head.iter().copied().chain(noise).collect();
            let kind = if head[12] == b'B' { "block" } else { "log" };
            files.insert(format!("{}.{kind}", round * 10 + at), bytes);
        }
        assert_eq!(count(&files), (0, 4));
    }
}

/// The same hour twice, or an hour under another name.
#[test]
fn exchanged_files_do_not_repeat_samples() {
    let mut files = written();
    let blocks: Vec<_> = files
        .keys()
        .filter(|name| name.ends_with(".block"))
        .cloned()
        .collect();
    let copy = files[&blocks[0]].clone();
    files.insert("99999999999.block".to_owned(), copy);
    let (samples, told) = count(&files);
    assert_eq!((samples, told), (SERIES * SCRAPES, 1));
}

#[test]
fn files_of_another_version_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let mut strange = files(directory.path());
    for (name, bytes) in &mut strange {
        bytes[8] += 1;
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let history = History::open(&settings(directory.path())).unwrap();
    assert!(all(&history).is_empty());
    assert_eq!(history.loaded().damaged.len(), 4);
    let mut appender = history.appender();
    scrape_truth(&mut appender, 0, SERIES);
    assert!(history.flush(Duration::from_secs(60)));
    let now = files(directory.path());
    for (name, bytes) in &strange {
        assert_eq!(now.get(name), Some(bytes), "{name}");
    }
}

#[test]
fn an_unfinished_block_is_removed() {
    let mut files = written();
    let block = files.keys().find(|name| name.ends_with(".block"));
    let block = block.unwrap();
    let (name, bytes) = (format!("{block}.new"), files[block][..100].to_vec());
    files.insert(name.clone(), bytes.clone());
    assert_eq!(count(&files), (SERIES * SCRAPES, 0));

    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(&name), bytes).unwrap();
    History::open(&settings(directory.path())).unwrap();
    assert!(!directory.path().join(name).exists());
}

#[test]
fn a_directory_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/when/missing");
    let history = History::open(&settings(&path)).unwrap();
    assert!(matches!(
        History::open(&settings(&path)),
        Err(Error::InUse { .. })
    ));
    drop(history);
    History::open(&settings(&path)).unwrap();
}

#[test]
fn a_file_as_the_directory_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = History::open(&settings(file.path())).err().unwrap();
    assert!(matches!(error, Error::Directory { .. }), "{error}");
    assert!(
        error.to_string().contains(file.path().to_str().unwrap()),
        "{error}"
    );
}
