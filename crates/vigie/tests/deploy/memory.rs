//! The sum of all memory bounds is less than the limit of the containers in `deploy/`.

use std::fs;
use std::path::Path;

use vigie::memory::{parts, total};
use vigie_config::Settings;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const MIB: f64 = 1_048_576.0;

fn defaults() -> Settings {
    let example = fs::read_to_string(Path::new(ROOT).join("vigie.example.toml")).unwrap();
    Settings::from_toml(&example).unwrap()
}

/// The memory limits, in MiB, of the containers in a file or in all files below a directory.
fn limits(path: &Path, found: &mut Vec<u64>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            limits(&entry.unwrap().path(), found);
        }
        return;
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let limits = text.lines().filter(|line| line.contains("limits: {"));
    found.extend(limits.map(|line| {
        let (_, memory) = line.split_once("memory: ").unwrap();
        let (number, _) = memory.split_once("Mi").unwrap();
        number.parse::<u64>().unwrap()
    }));
}

#[test]
fn the_defaults_fit_into_every_container() {
    let parts = parts(&defaults());
    let total = total(&parts);
    let mut found = Vec::new();
    limits(&Path::new(ROOT).join("deploy"), &mut found);
    assert!(found.len() >= 2, "{found:?}");
    for limit in found {
        assert!(total <= limit << 20, "{total} of {limit} MiB: {parts:#?}");
    }
}

#[test]
fn the_document_lists_the_parts() {
    let document = fs::read_to_string(Path::new(ROOT).join("docs/memory.md")).unwrap();
    for part in parts(&defaults()) {
        let row = format!("| {} | {:.1} |", part.name, part.bytes as f64 / MIB);
        assert!(document.contains(&row), "docs/memory.md needs: {row}");
    }
}
