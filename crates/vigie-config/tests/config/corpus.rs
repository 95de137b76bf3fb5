//! `NAME.good.toml` resolves and `NAME.bad.toml` does not; the results are those of their snapshots.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use vigie_config::{Settings, Sources};

fn corpus(ending: &str) -> Vec<(String, PathBuf)> {
    let mut files: Vec<_> = fs::read_dir("tests/config")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path
                .file_name()?
                .to_str()?
                .strip_suffix(".toml")?
                .to_owned();
            name.ends_with(ending).then_some((name, path))
        })
        .collect();
    files.sort();
    assert!(files.len() > 2, "the corpus is gone: {files:?}");
    files
}

fn load(path: PathBuf) -> Result<Settings, vigie_config::ConfigError> {
    Settings::load(&Sources {
        file: Some(path),
        ..Sources::default()
    })
}

fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn good_files_resolve() {
    for (name, path) in corpus(".good") {
        let mut settings = load(path).unwrap_or_else(|error| panic!("{name}:\n{error}"));
        // It depends on the file modes of the checkout.
        settings.exposed.clear();
        snapshots().bind(|| insta::assert_snapshot!(name, format!("{settings:#?}")));
    }
}

#[test]
fn bad_files_are_reported_together() {
    for (name, path) in corpus(".bad") {
        let error = match load(path) {
            Ok(settings) => panic!("{name} was accepted: {settings:#?}"),
            Err(error) => error,
        };
        snapshots().bind(|| insta::assert_snapshot!(name, error.to_string()));
    }
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let error = load("tests/config/values.bad.toml".into()).unwrap_err();
    let styled = error.render(true);
    assert!(styled.contains("\u{1b}["));
    let mut plain = String::new();
    let mut rest = styled.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    let trimmed = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(trimmed(&plain), trimmed(&error.render(false)));
}

#[test]
fn files_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let missing = load(dir.path().join("no.toml")).unwrap_err().to_string();
    assert!(missing.contains("no.toml"), "{missing}");
    assert!(missing.contains("No such file"), "{missing}");

    let huge = dir.path().join("huge.toml");
    fs::write(&huge, " ".repeat((1 << 20) + 1)).unwrap();
    let huge = load(huge).unwrap_err().to_string();
    assert!(huge.contains("larger than 1048576 bytes"), "{huge}");

    let bytes = dir.path().join("bytes.toml");
    fs::write(&bytes, [0xff, 0xfe]).unwrap();
    let bytes = load(bytes).unwrap_err().to_string();
    assert!(bytes.contains("not UTF-8"), "{bytes}");
}

#[test]
fn a_binary_file_gives_a_bounded_number_of_errors() {
    let error = Settings::from_toml(&"= \u{1}\n".repeat(5_000)).unwrap_err();
    assert!(error.count() > 1_000);
    assert!(error.to_string().lines().count() < 1_000);
}

#[test]
fn a_caret_never_lands_inside_a_character() {
    for text in ["app = éé", "app = \"é\u{301}\"", "é = 1", "[é", "url = 'é"] {
        let error = Settings::from_toml(text).unwrap_err();
        assert!(error.to_string().contains("vigie.toml:1:"), "{error}");
    }
}

proptest::proptest! {
    /// Any input gives settings or errors, and no panic.
    #[test]
    fn no_text_panics(text in "(?s)([a-z.]{0,8}|\\[{1,2}(gateway|redis|checks)\\]{1,2}\n|(url|app|listen|routes) = |[\"'#=\\[\\]{},\n\\\\é ]|[0-9:/@]{1,6}){0,40}") {
        if let Err(error) = Settings::from_toml(&text) {
            proptest::prop_assert!(error.count() > 0);
            proptest::prop_assert!(!error.to_string().is_empty());
        }
    }
}
