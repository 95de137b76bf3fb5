//! The history uses only a directory of its own, and changes only its own files in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use vigie_history::{Error, History, Settings};

fn open(path: &Path) -> Result<History, Error> {
    let settings = Settings {
        path: Some(path.to_owned()),
        ..Settings::default()
    };
    History::open(&settings)
}

/// Appends scrapes over several hours, so that blocks are sealed and logs are replaced.
fn write(history: &History) {
    let mut appender = history.appender();
    for minute in 0..600_i64 {
        let mut scrape = appender.scrape(minute * 60_000);
        if let Some(series) = scrape.series(&[("__name__", "up")]) {
            scrape.sample(series, minute as f64);
        }
        scrape.commit();
    }
    assert!(history.flush(Duration::from_secs(60)));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_directory_with_foreign_files_is_refused_and_left_alone() {
    for (name, content) in [
        ("0.log", "a log of another program"),
        ("12.log", ""),
        ("3.block", "VIGIE"),
        ("7.block.new", "x"),
        ("data.db", ""),
        (".hidden", "x"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        fs::write(&file, content).unwrap();
        match open(directory.path()) {
            Err(Error::Foreign { entry, .. }) => assert_eq!(entry, name),
            other => panic!("{name}: {:?}", other.err()),
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), content, "{name}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{name}");
    }
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("5.log")).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Foreign { .. })));
    // A directory belongs to a history if the content of the link, not its target, does.
    let directory = tempfile::tempdir().unwrap();
    symlink("/etc/hostname", directory.path().join("1.log")).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Foreign { .. })));
}

#[test]
fn a_foreign_file_created_later_is_neither_replaced_nor_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    write(&open(&path).unwrap());
    let theirs = [
        "0.log",
        "1.log",
        "3600000.block",
        "9.block.new",
        "notes.txt",
    ];
    for name in theirs {
        let _ = fs::remove_file(path.join(name));
        fs::write(path.join(name), "theirs").unwrap();
    }
    // A dangling link is foreign, too.
    let link = path.join("7200000.block");
    let _ = fs::remove_file(&link);
    symlink("no/such/file", &link).unwrap();
    let history = open(&path).unwrap();
    write(&history);
    drop(history);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    for name in theirs {
        assert_eq!(
            fs::read_to_string(path.join(name)).unwrap(),
            "theirs",
            "{name}"
        );
    }
}

#[test]
fn a_directory_of_an_earlier_version_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    write(&open(&path).unwrap());
    fs::remove_file(path.join("vigie-history")).unwrap();
    fs::create_dir(path.join("lost+found")).unwrap();
    let files: Vec<_> = fs::read_dir(&path).unwrap().collect();
    for file in files {
        let file = file.unwrap().path();
        if file.is_file() {
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
    let history = open(&path).unwrap();
    assert!(history.stats().series > 0);
    assert!(path.join("vigie-history").is_file());
}

#[test]
fn a_new_directory_and_its_files_are_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/history");
    write(&open(&path).unwrap());
    assert_eq!(mode(&path), 0o700);
    let names: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert!(names.len() > 2, "{names:?}");
    for entry in names {
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.file_name());
    }
}
