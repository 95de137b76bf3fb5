//! Generated files are up to date.

use crate::files::{SOURCES, load, path};
use crate::{canonical, translation};

/// Fails if a file differs from its expected text; rewrites it first if requested.
fn must_be(file: &str, expected: &str) {
    if std::env::var_os("UPDATE_DASHBOARDS").is_some() {
        std::fs::write(path(file), expected).unwrap();
    }
    let found = std::fs::read_to_string(path(file)).unwrap_or_default();
    let line = found.lines().zip(expected.lines());
    let line = 1 + line
        .take_while(|(found, expected)| found == expected)
        .count();
    assert!(
        found == expected,
        "dashboards/{file}:{line} is not up to date; \
         UPDATE_DASHBOARDS=1 cargo test -p vigie --test dashboards writes it"
    );
}

/// The sources come first, in their canonical form, so that an export from Grafana and a manual edit differ only in
/// content.
#[test]
fn every_file_is_up_to_date() {
    let french = translation::words();
    must_be("fr.toml", &toml::to_string(&french).unwrap());
    for name in SOURCES {
        let (file, in_french) = (format!("{name}.json"), format!("{name}.fr.json"));
        let source = load(&file);
        must_be(&file, &canonical::text(&source));
        let translated = translation::translate(&source, &french);
        must_be(&in_french, &canonical::text(&translated));
    }
}
