//! Configurations against amtool 0.25: Vigie accepts none that amtool refuses, and refuses more only as documented here.
#![allow(clippy::unwrap_used)]

#[path = "support/mistakes.rs"]
mod mistakes;

use std::path::Path;
use std::process::{Command, Output};

use vigie_notify::config;

const FILES: u64 = 300;

/// Parts of messages, and why Vigie refuses what Alertmanager 0.25 accepts.
const REASONS: &[(&str, &str)] = &[
    ("is not supported", "Vigie does not have it"),
    (
        "`max_alerts` is `1.5`",
        "Alertmanager cuts the fraction off",
    ),
    (
        "`proxy_url` is no URL",
        "Alertmanager takes any text for a proxy",
    ),
];

const VALUES: [&str; 22] = [
    "",
    "''",
    "x",
    "5m",
    "0s",
    "-1",
    "true",
    "'true'",
    "yes",
    "[]",
    "{}",
    "[x]",
    "{x: y}",
    "null",
    "1.5",
    "0",
    "12",
    "'24:00'",
    "http://x.example",
    "a.b",
    "'(('",
    "...",
];

/// A number generator; the same seed gives the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// The same file with one or two lines deleted, doubled, or with another key or value.
fn mutated(lines: &[&str], random: &mut Random) -> String {
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    for _ in 0..=random.below(2) {
        let at = random.below(lines.len());
        let line = lines[at].clone();
        match random.below(5) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, line),
            2 => lines[at] = line.replacen(':', "x:", 1),
            _ => {
                if let Some((key, _)) = line.split_once(": ") {
                    let value = VALUES[random.below(VALUES.len())];
                    lines[at] = format!("{key}: {value}");
                }
            }
        }
    }
    lines.join("\n")
}

/// Every part of the subset, without the parts that 0.25 does not have.
fn all() -> Vec<&'static str> {
    let lines = include_str!("all.yml").lines();
    lines.filter(|line| !line.ends_with("# newer")).collect()
}

fn amtool(directory: &Path, text: &str) -> Output {
    let amtool = vigie_testkit::tools::AMTOOL.find().unwrap();
    let file = directory.join("alertmanager.yml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(amtool);
    command.arg("check-config").arg(file).output().unwrap()
}

#[test]
fn amtool_agrees_on_mistakes() {
    let directory = tempfile::tempdir().unwrap();
    let accepts = |text: &str| amtool(directory.path(), text).status.success();
    assert!(accepts(&all().join("\n")));
    for (text, message) in mistakes::MISTAKES {
        assert!(!accepts(text), "{text}\n{message}");
    }
    for (text, message) in mistakes::STRICTER {
        // A key that 0.25 does not have.
        let newer = text.contains("proxy_from_environment");
        assert!(accepts(text) || newer, "{text}\n{message}");
    }
}

#[test]
fn amtool_accepts_what_vigie_accepts() {
    let directory = tempfile::tempdir().unwrap();
    let lines = all();
    let (mut accepted, mut wrong) = (0, Vec::new());
    for seed in 0..FILES {
        let text = mutated(&lines, &mut Random(seed));
        let theirs = amtool(directory.path(), &text);
        let reason = String::from_utf8_lossy(&theirs.stdout).into_owned();
        let changed = || {
            let new = text.lines().filter(|line| !lines.contains(line));
            new.collect::<Vec<_>>().join(" | ")
        };
        match (config::load(&text), theirs.status.success()) {
            (Ok(_), true) => accepted += 1,
            (Err(_), false) => {}
            (Ok(_), false) => wrong.push(format!(
                "{seed}: accepted, amtool: {reason} [{}]",
                changed()
            )),
            (Err(problems), true) => {
                let message = problems.to_string();
                if !REASONS.iter().any(|(part, _)| message.contains(part)) {
                    wrong.push(format!("{seed}: refused: {message} [{}]", changed()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(accepted > 50, "{accepted} were accepted");
}

#[test]
fn amtool_accepts_a_file_whose_secrets_are_masked() {
    let directory = tempfile::tempdir().unwrap();
    let masked = config::masked(&all().join("\n"));
    assert!(masked.contains("<secret>"));
    let output = amtool(directory.path(), &masked);
    assert!(output.status.success(), "{masked}\n{output:?}");
}
