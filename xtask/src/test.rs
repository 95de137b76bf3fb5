//! `cargo xtask test`: runs all tests, and reports failures, counts and duration at the end.

use std::io::{BufRead, BufReader, IsTerminal, PipeReader, pipe, stdout};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::Context;

use crate::cargo::{build_vigie, cargo};
use crate::say::say;
use crate::setup::{self, Purpose};
use crate::tally::Tally;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`, such as `-p vigie-gateway` or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let begun = SystemTime::now();
    setup::ensure(Purpose::Test)?;
    say("building vigie, which the end-to-end tests run");
    build_vigie(&[])?;
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]);
    if !names_packages(&arguments.rest) {
        command.arg("--workspace");
    }
    command.args(&arguments.rest);
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    say(&format!("running cargo {}", words.join(" ")));
    let (success, tally) = follow(command)?;
    report(&tally, begun);
    Ok(match success && tally.failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs the command and passes on its output, both streams in order.
fn follow(mut command: Command) -> anyhow::Result<(bool, Tally)> {
    let (output, input) = pipe().context("cannot make a pipe")?;
    if stdout().is_terminal() {
        // Cargo disables colours because its output is a pipe.
        command.env("CARGO_TERM_COLOR", "always");
    }
    command.stdout(input.try_clone()?).stderr(input);
    let mut child = command.spawn().context("cannot start cargo")?;
    // The command holds the write ends, which would keep the pipe open.
    drop(command);
    let tally = read(output)?;
    Ok((child.wait()?.success(), tally))
}

fn read(output: PipeReader) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        say(&line);
        tally.line(&plain(&line));
    }
    tally.end();
    Ok(tally)
}

/// The line without colour codes (ECMA-48: `ESC [ … m`).
fn plain(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

fn report(tally: &Tally, begun: SystemTime) {
    let seconds = begun.elapsed().map_or(0, |passed| passed.as_secs());
    say("");
    if !tally.failures.is_empty() {
        say("failed tests:");
        tally
            .failures
            .iter()
            .for_each(|failure| say(&format!("  {failure}")));
    }
    say(&format!("took {} min {} s", seconds / 60, seconds % 60));
    let Tally {
        passed,
        failed,
        ignored,
        ..
    } = tally;
    say(&format!(
        "{passed} passed, {failed} failed, {ignored} skipped"
    ));
}

/// Whether the arguments select packages.
fn names_packages(arguments: &[String]) -> bool {
    let ours = arguments.iter().take_while(|word| *word != "--");
    let mut ours = ours.map(String::as_str);
    ours.any(|word| {
        word == "--workspace" || word.starts_with("-p") || word.starts_with("--package")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tested_unless_packages_are_given() {
        let names =
            |line: &str| names_packages(&line.split(' ').map(String::from).collect::<Vec<_>>());
        assert!(names("-p vigie"));
        assert!(names("--release --package=vigie"));
        assert!(names("--workspace"));
        assert!(!names("--release -- -p"));
        assert!(!names(""));
    }

    #[test]
    fn colour_codes_are_removed() {
        assert_eq!(
            plain("\u{1b}[1m\u{1b}[92m   Running\u{1b}[0m tests/x.rs"),
            "   Running tests/x.rs"
        );
        assert_eq!(
            plain("test a ... \u{1b}[31mFAILED\u{1b}[m"),
            "test a ... FAILED"
        );
    }
}
