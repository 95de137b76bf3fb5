//! Whether the history can be kept in its directory. Nothing is created or changed.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::statvfs;
use tokio::time::Instant;
use vigie_history::Settings;

use super::{Row, Verdict, directory, on_a_thread};

/// Checks the directory.
pub(super) async fn history(settings: &Settings, within: Duration) -> Option<Row> {
    let path = settings.path.clone()?;
    let start = Instant::now();
    let place = path.display().to_string();
    let max_bytes = settings.max_bytes;
    let advice = "the disk or the server behind it hangs; Vigie starts without it and keeps the history in memory \
                  meanwhile";
    let verdict = on_a_thread(within, advice, move || look(&path, max_bytes)).await;
    Some(Row {
        what: "history",
        place,
        verdict,
        warns: false,
        took: start.elapsed(),
    })
}

fn look(path: &Path, max_bytes: u64) -> Verdict {
    let directory = directory::writable(path, "history.path")?;
    let exists = directory.exists;
    let unreadable = |error: io::Error| {
        let advice = "let the user that Vigie runs as read and write there";
        (error.to_string(), advice.to_owned())
    };
    if exists && let Some(entry) = vigie_history::foreign_entry(path).map_err(unreadable)? {
        let text = format!("it holds {entry}, which Vigie did not write");
        let advice = "name an empty directory, or one that does not exist, as history.path";
        return Err((text, advice.to_owned()));
    }
    let kept = match exists {
        true => kept(path).map_err(unreadable)?,
        false => Kept::default(),
    };
    let disk = statvfs(&directory.nearest).map_err(|error| unreadable(error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    // Existing files count towards the maximum.
    let most = max_bytes.saturating_mul(2);
    if free.saturating_add(kept.bytes) < most {
        let text = format!("{} free, but it may take up to {}", size(free), size(most));
        let advice = "make room, or set history.max_bytes lower: files take up to twice as much";
        return Err((text, advice.to_owned()));
    }
    let now = match (exists, kept.files) {
        (false, _) => "can be made".to_owned(),
        (true, 0) => "writable, and empty".to_owned(),
        (true, files) => format!("writable, {} in {files} files", size(kept.bytes)),
    };
    Ok(format!("{now}; {} free", size(free)))
}

#[derive(Default)]
struct Kept {
    files: usize,
    bytes: u64,
}

/// The files of a history.
fn kept(path: &Path) -> io::Result<Kept> {
    let mut kept = Kept::default();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('.'));
        let is_ours = |(number, kind): (&str, &str)| {
            matches!(kind, "block" | "log") && number.parse::<i64>().is_ok()
        };
        if parts.is_some_and(is_ours) {
            kept.files += 1;
            // A file deleted in the meantime takes no space.
            kept.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Ok(kept)
}

fn size(bytes: u64) -> String {
    let (unit, name) = match bytes >> 20 {
        0 => (1 << 10, "KiB"),
        1..1_024 => (1 << 20, "MiB"),
        _ => (1 << 30, "GiB"),
    };
    format!("{:.1} {name}", bytes as f64 / f64::from(unit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SMALL: u64 = 1 << 10;

    #[test]
    fn existing_and_new_directories() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(
            look(path, SMALL)
                .unwrap()
                .starts_with("writable, and empty; ")
        );
        let ours = |length: usize| [b"VIGIE-H\n".to_vec(), vec![0; length - 8]].concat();
        fs::write(path.join("1.block"), ours(2_000)).unwrap();
        fs::write(path.join("2.log"), ours(48)).unwrap();
        fs::create_dir(path.join("lost+found")).unwrap();
        let found = look(path, SMALL).unwrap();
        assert!(
            found.starts_with("writable, 2.0 KiB in 2 files; "),
            "{found}"
        );
        let new = path.join("a/b");
        assert!(look(&new, SMALL).unwrap().starts_with("can be made; "));
        assert!(!new.exists());
        assert!(
            look(Path::new("no/such"), SMALL)
                .unwrap()
                .starts_with("can be made; ")
        );
    }

    #[test]
    fn problems_are_reported_with_advice() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let (text, _) = look(&file, SMALL).unwrap_err();
        assert!(text.ends_with("file is not a directory"), "{text}");
        assert!(look(&file.join("below"), SMALL).is_err());
        let (text, advice) = look(directory.path(), SMALL).unwrap_err();
        assert_eq!(text, "it holds file, which Vigie did not write");
        assert!(advice.contains("an empty directory"), "{advice}");
        fs::remove_file(&file).unwrap();
        let (text, advice) = look(directory.path(), u64::MAX / 2).unwrap_err();
        assert!(text.contains("may take up to"), "{text}");
        assert!(advice.contains("history.max_bytes"), "{advice}");
        // Not even root can write there.
        let (text, _) = look(Path::new("/proc/sys/kernel"), SMALL).unwrap_err();
        assert!(text.contains("cannot write in /proc/sys/kernel"), "{text}");
    }

    #[test]
    fn sizes() {
        for (bytes, expected) in [
            (0, "0.0 KiB"),
            (1_536, "1.5 KiB"),
            (128 << 20, "128.0 MiB"),
            (3 << 30, "3.0 GiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
