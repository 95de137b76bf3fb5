#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const KIND: Kind = Kind::new(*b"TEST", 3);
const MOST: u64 = 1 << 20;
const NAME: &str = "x.log";

struct Place {
    _parent: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let parent = TempDir::new().unwrap();
        let path = parent.path().join("a/b");
        Self {
            _parent: parent,
            path,
        }
    }

    fn open(&self) -> Directory {
        Directory::open(&self.path).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.path).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn log_with(directory: &Directory, records: &[Vec<u8>]) -> Log {
    let mut opened = directory.log(NAME, KIND, MOST).unwrap();
    for record in records {
        opened.log.append(record).unwrap();
    }
    opened.log
}

#[test]
fn files_are_private_and_the_directory_is_locked() {
    let place = Place::new();
    let directory = place.open();
    directory.save("doc", KIND, b"one").unwrap();
    log_with(&directory, &[b"record".to_vec()]);
    assert_eq!(mode(&place.path), 0o700);
    assert_eq!(mode(&place.file("doc")), 0o600);
    assert_eq!(mode(&place.file(NAME)), 0o600);
    assert_eq!(place.names(), ["doc", NAME]);
    let second = Directory::open(&place.path);
    assert!(matches!(second, Err(Error::InUse { .. })));
    drop(directory);
    place.open();
}

#[test]
fn a_document_is_replaced_and_removed() {
    let place = Place::new();
    let directory = place.open();
    let load = || directory.load("doc", KIND, 10).unwrap();
    assert!(matches!(load(), Loaded::Missing));
    for content in [&b"one"[..], b"", b"ten bytes!"] {
        directory.save("doc", KIND, content).unwrap();
        assert!(matches!(load(), Loaded::Document(bytes) if bytes == content));
    }
    directory.save("doc", KIND, b"eleven byte").unwrap();
    let too_long = load();
    assert!(
        matches!(&too_long, Loaded::SetAside { why: Unusable::TooLong { .. }, path } if path.ends_with("doc.damaged")),
        "{too_long:?}"
    );
    directory.save("doc", KIND, b"one").unwrap();
    directory.remove("doc").unwrap();
    directory.remove("doc").unwrap();
    assert_eq!(place.names(), ["doc.damaged"]);
}

#[test]
fn a_document_of_another_version_or_kind_is_set_aside() {
    let place = Place::new();
    let directory = place.open();
    for (kind, why, name) in [
        (
            Kind::new(*b"TEST", 4),
            Unusable::Version {
                found: 4,
                accepted: 3,
            },
            "doc.other-version",
        ),
        (Kind::new(*b"ELSE", 3), Unusable::Kind, "doc.damaged"),
    ] {
        directory.save("doc", kind, b"one").unwrap();
        match directory.load("doc", KIND, 10).unwrap() {
            Loaded::SetAside { why: found, path } => {
                assert_eq!((found, path), (why, place.file(name)));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn foreign_files_are_not_changed() {
    let target = "precious";
    let place = Place::new();
    let directory = place.open();
    fs::write(place.file("text"), target).unwrap();
    symlink(place.file("text"), place.file("link")).unwrap();
    symlink(place.file("nothing"), place.file("dangling")).unwrap();
    fs::create_dir(place.file("inner")).unwrap();
    for name in ["text", "link", "dangling", "inner"] {
        let is_foreign = |error: Error| assert!(matches!(error, Error::Foreign { .. }), "{error}");
        is_foreign(directory.load(name, KIND, MOST).unwrap_err());
        is_foreign(directory.save(name, KIND, b"").unwrap_err());
        is_foreign(directory.log(name, KIND, MOST).unwrap_err());
        is_foreign(directory.remove(name).unwrap_err());
        let _ = fs::remove_file(place.file(&format!("{name}.new")));
    }
    // The names for the unfinished and the damaged file are taken.
    for name in ["doc.new", "doc.1.new", "doc.damaged"] {
        fs::write(place.file(name), target).unwrap();
    }
    directory.save("doc", KIND, b"one").unwrap();
    let mut bytes = fs::read(place.file("doc")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(place.file("doc"), &bytes).unwrap();
    let error = directory.load("doc", KIND, MOST).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    for name in ["text", "doc.new", "doc.1.new", "doc.damaged"] {
        assert_eq!(fs::read_to_string(place.file(name)).unwrap(), target);
    }
}

#[test]
fn an_interrupted_replacement_leaves_the_old_document() {
    let place = Place::new();
    let directory = place.open();
    directory.save("doc", KIND, b"one").unwrap();
    for unfinished in [&b""[..], b"VIG", b"VIGIE-S\nTES"] {
        fs::write(place.file("doc.new"), unfinished).unwrap();
        let loaded = directory.load("doc", KIND, MOST).unwrap();
        assert!(matches!(loaded, Loaded::Document(bytes) if bytes == b"one"));
        directory.save("doc", KIND, b"one").unwrap();
        assert_eq!(place.names(), ["doc"]);
    }
}

#[test]
fn every_damaged_document_is_noticed() {
    let place = Place::new();
    let directory = place.open();
    directory.save("doc", KIND, b"0123456789").unwrap();
    let bytes = fs::read(place.file("doc")).unwrap();
    let cuts = (1..bytes.len()).map(|end| bytes[..end].to_vec());
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    for damaged in cuts.chain(flips) {
        fs::write(place.file("doc"), &damaged).unwrap();
        match directory.load("doc", KIND, MOST).unwrap() {
            Loaded::SetAside { path, .. } => assert_eq!(fs::read(path).unwrap(), damaged),
            other => panic!("{other:?} for {damaged:?}"),
        }
    }
}

/// Each damage in turn, with the records that must remain at least.
fn damages(records: &[Vec<u8>], bytes: &[u8]) -> Vec<(Vec<u8>, usize)> {
    let ends = records.iter().scan(20, |end, record| {
        *end += 12 + record.len();
        Some(*end)
    });
    let ends: Vec<usize> = ends.collect();
    let cuts = (1..bytes.len()).map(|cut| {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        (bytes[..cut].to_vec(), whole)
    });
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let hit = usize::from(bit / 8 >= 20);
        (flipped, records.len() - hit)
    });
    cuts.chain(flips).collect()
}

#[test]
fn a_damaged_log_loses_only_the_damaged_record_and_goes_on() {
    let records: Vec<Vec<u8>> = vec![b"first".to_vec(), vec![], b"third one".to_vec()];
    let place = Place::new();
    let directory = place.open();
    log_with(&directory, &records);
    let bytes = fs::read(place.file(NAME)).unwrap();
    for (damaged, least) in damages(&records, &bytes) {
        fs::write(place.file(NAME), &damaged).unwrap();
        let mut opened = directory.log(NAME, KIND, MOST).unwrap();
        let mut rest = records.iter();
        let are_ours = opened
            .records
            .iter()
            .all(|record| rest.any(|one| one == record));
        assert!(are_ours && opened.records.len() >= least, "{damaged:?}");
        if let Some((_, aside)) = &opened.set_aside {
            assert_eq!(fs::read(aside).unwrap(), damaged);
        }
        opened.log.append(b"next").unwrap();
        let mut expected = opened.records;
        expected.push(b"next".to_vec());
        let again = directory.log(NAME, KIND, MOST).unwrap();
        assert_eq!(again.records, expected);
        assert_eq!((again.torn, again.set_aside), (0, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_log_is_its_records(records in prop::collection::vec(any::<Vec<u8>>(), 0..8), rewritten: bool, torn in 0..40_usize) {
        let place = Place::new();
        let directory = place.open();
        let mut log = log_with(&directory, &records);
        if rewritten {
            log.rewrite(&records).unwrap();
        }
        let length = fs::metadata(place.file(NAME)).unwrap().len();
        prop_assert_eq!(log.bytes(), length);
        // The start of another record.
        let mut next = Vec::new();
        format::write(&mut next, &[7; 40]);
        let mut file = OpenOptions::new().append(true).open(place.file(NAME)).unwrap();
        file.write_all(&next[..torn]).unwrap();
        let opened = directory.log(NAME, KIND, MOST).unwrap();
        prop_assert_eq!(&opened.records, &records);
        prop_assert_eq!((opened.torn, opened.set_aside), (torn, None));
        prop_assert_eq!(fs::metadata(place.file(NAME)).unwrap().len(), length);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(mut bytes: Vec<u8>, with_head: bool) {
        if with_head {
            let mut file = format::head(KIND).to_vec();
            file.append(&mut bytes);
            bytes = file;
        }
        let length = bytes.len();
        if let Ok((records, damaged)) = super::records(&bytes, KIND) {
            let read: usize = records.iter().map(|record| 12 + record.len()).sum();
            prop_assert!(read + damaged <= length && read + damaged + 20 >= length);
        }
    }
}

#[test]
fn bounded() {
    let place = Place::new();
    let directory = place.open();
    let mut log = directory.log(NAME, KIND, 64).unwrap().log;
    log.append(&[1; 20]).unwrap();
    for _ in 0..2 {
        let full = log.append(&[2; 1]).unwrap_err();
        assert!(matches!(
            full,
            Error::TooLong {
                found: 65,
                most: 64,
                ..
            }
        ));
        assert!(!log.is_broken());
    }
    assert!(matches!(
        log.rewrite(&[[3; 40]]),
        Err(Error::TooLong { .. })
    ));
    log.rewrite(&[[3; 4]]).unwrap();
    log.append(&[4; 12]).unwrap();
    let records = directory.log(NAME, KIND, 64).unwrap().records;
    assert_eq!(records, [vec![3; 4], vec![4; 12]]);
    // A longer file is not of this program.
    let opened = directory.log(NAME, KIND, 40).unwrap();
    let (why, _) = opened.set_aside.unwrap();
    assert!(matches!(why, Unusable::TooLong { .. }));
}

#[test]
fn a_log_that_could_not_be_written_is_rewritten() {
    let place = Place::new();
    let directory = place.open();
    let mut log = log_with(&directory, &[b"one".to_vec()]);
    // Writing to this device fails as on a full disk.
    log.redirect(OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert!(matches!(log.append(b"two"), Err(Error::Io { .. })));
    assert!(log.is_broken());
    assert!(matches!(log.append(b"two"), Err(Error::Broken { .. })));
    log.rewrite(&[b"one", b"two"]).unwrap();
    log.append(b"three").unwrap();
    let records = directory.log(NAME, KIND, MOST).unwrap().records;
    assert_eq!(records, [&b"one"[..], b"two", b"three"]);
}
