//! `vigie.example.toml` is the reference: it names every key, with its default.

#![allow(clippy::unwrap_used)]

use vigie_config::Settings;

const EXAMPLE: &str = include_str!("../../../../vigie.example.toml");

/// The only keys without a default, with the values of the example.
const WITHOUT_DEFAULT: &str = r#"
    gateway.app = "http://127.0.0.1:3000"
    redis.url = "redis://127.0.0.1:6379"
    database.url = "postgres://vigie@127.0.0.1:5432/app"
    tick.queue = "production"
"#;

#[test]
fn its_values_are_the_defaults() {
    let example = Settings::from_toml(EXAMPLE).unwrap();
    let defaults = Settings::from_toml(WITHOUT_DEFAULT).unwrap();
    assert_eq!(format!("{example:#?}"), format!("{defaults:#?}"));
}

#[test]
fn it_names_every_key_in_its_section() {
    let mut section = "";
    let mut named = Vec::new();
    for line in EXAMPLE.lines() {
        // A section without defaults is a comment. The tables of a list are sections with numbers.
        let header = line.strip_prefix("# ").unwrap_or(line);
        if header.starts_with('[') {
            section = header.trim_matches(['[', ']']);
        }
        // A key without a value is in a comment: `# token = "…"   # or token_file = "…"`.
        for part in line.split("# or ") {
            let part = part.trim_start_matches("# ");
            if let Some((name, _)) = part.split_once(" = ") {
                named.push(format!("{section}.{name}"));
            }
        }
    }
    for key in Settings::keys() {
        let key = key.replace(".0.", ".");
        assert!(named.contains(&key), "{key} is not in vigie.example.toml");
    }
}
