//! `NAME.good.yml` has no findings; those of `NAME.bad.yml` are in its snapshot.

use std::fs;

use crate::command::{snapshots, text, vigie};

fn corpus(ending: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir("tests/rules").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = names
        .filter_map(|name| {
            let stem = name.strip_suffix(".yml")?;
            let file = (stem.to_owned(), format!("tests/rules/{name}"));
            stem.ends_with(ending).then_some(file)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus is gone");
    files
}

#[test]
fn good_files_are_clean() {
    for (name, path) in corpus(".good") {
        let output = vigie(&["check", "--strict", &path]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{name}:\n{}",
            text(output.stdout)
        );
    }
}

#[test]
fn all_mistakes_of_a_bad_file_are_reported() {
    for (name, path) in corpus(".bad") {
        let output = vigie(&["check", "--strict", &path]);
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        assert!(output.stderr.is_empty(), "{name}: {output:?}");
        snapshots().bind(|| insta::assert_snapshot!(name, text(output.stdout)));
    }
}
