//! `cargo xtask test`: runs all tests, several test programs at once, and reports failures, counts and duration at the
//! end.

mod hints;
pub(crate) mod job;
mod pool;
mod report;
mod signals;
mod tally;

use std::env;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader, pipe, stdout};
use std::process::{Child, ExitCode};
use std::thread;
use std::time::SystemTime;

use anyhow::Context;
use tokio::sync::oneshot;

use self::job::Job;
use self::report::{Report, plain};
use self::signals::until_signal;
use crate::cargo::cargo;
use crate::say::say;
use crate::setup::{self, Purpose};
use crate::sid;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`, such as `-p vigie-gateway` or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let begun = SystemTime::now();
    setup::ensure(Purpose::Test)?;
    let rest: Vec<_> = arguments.rest.iter().map(String::as_str).collect();
    let words = words(&rest, sid::is_unpacked());
    say(&format!("running cargo {}", words.join(" ")));
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let built = runtime.block_on(until_signal(test(&words, &mut report)))?;
    report.print(begun);
    Ok(match built && report.has_no_failure() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs `cargo test` with deferred test programs, and then those; documentation tests run beside them. The result is
/// whether Cargo succeeded.
async fn test(words: &[&str], report: &mut Report) -> anyhow::Result<bool> {
    let mut command = cargo();
    command.arg("--config").arg(runner()?).args(words);
    if stdout().is_terminal() {
        // Cargo disables colours because its output is a pipe.
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (output, input) = pipe().context("cannot make a pipe")?;
    command.stdout(input.try_clone()?).stderr(input);
    let mut cargo = Killed(command.spawn().context("cannot start cargo")?);
    // The command holds the write ends, which would keep the pipe open.
    drop(command);
    let (jobs, deferred) = oneshot::channel();
    let (all, documentation) = oneshot::channel();
    // Not a task of the runtime, which would wait for it after a signal.
    thread::spawn(move || all.send(read(output, jobs)));
    let jobs = deferred.await.unwrap_or_default();
    let at_once = hints::programs_at_once();
    say(&format!(
        "running {} test programs, {at_once} at once; the output of each is printed when it ends",
        jobs.len()
    ));
    pool::run(jobs, at_once, |ended| report.add(ended)).await;
    report.documentation(&documentation.await.unwrap_or_default());
    Ok(cargo.0.wait()?.success())
}

/// The configuration of Cargo that defers test programs.
fn runner() -> anyhow::Result<String> {
    let program = env::current_exe().context("cannot find this program")?;
    let words = serde_json::json!([program, job::DEFER]);
    Ok(format!("target.{}.runner={words}", env!("VIGIE_HOST")))
}

/// A process that is killed when its owner returns early.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Prints the output of the build, passes on the deferred programs when all are known, and returns the output of the
/// documentation tests.
fn read(output: PipeReader, jobs: oneshot::Sender<Vec<Job>>) -> String {
    let mut found = Some((Vec::new(), jobs));
    let mut heading = String::new();
    let mut documentation = String::new();
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let text = plain(&line);
        if text.trim_start().starts_with("Doc-tests ")
            && let Some((found, jobs)) = found.take()
        {
            let _ = jobs.send(found);
        }
        match &mut found {
            None => {
                documentation.push_str(&line);
                documentation.push('\n');
            }
            Some((found, _)) => match Job::parse(&heading, &text) {
                Some(job) => found.push(job),
                None if text.trim_start().starts_with("Running ") => heading = line.into_owned(),
                None => say(&line),
            },
        }
    }
    if let Some((found, jobs)) = found {
        let _ = jobs.send(found);
    }
    documentation
}

/// The arguments of Cargo. The tests that compare with newer servers are ignored unless these are there (`newer`).
fn words<'a>(given: &[&'a str], newer: bool) -> Vec<&'a str> {
    let mut given = given.splitn(2, |word| *word == "--");
    let of_cargo = given.next().unwrap_or_default();
    let of_programs = given.next().unwrap_or_default();
    let mut words = vec!["test", "--no-fail-fast"];
    if !names_packages(of_cargo) {
        words.push("--workspace");
    }
    words.extend(of_cargo);
    words.push("--");
    words.extend(of_programs);
    let selects = |word: &&str| ["--ignored", "--include-ignored"].contains(word);
    if newer && !of_programs.iter().any(selects) {
        words.push("--include-ignored");
    }
    words
}

/// Whether the arguments select packages.
fn names_packages(of_cargo: &[&str]) -> bool {
    of_cargo.iter().any(|word| {
        *word == "--workspace" || word.starts_with("-p") || word.starts_with("--package")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tested_unless_packages_are_given() {
        for (given, expected) in [
            ("-p vigie", "-p vigie --"),
            ("--release --package=vigie", "--release --package=vigie --"),
            ("--workspace", "--workspace --"),
            ("--release -- -p", "--workspace --release -- -p"),
            ("", "--workspace --"),
        ] {
            assert_eq!(joined(given, false), expected);
        }
    }

    #[test]
    fn ignored_tests_run_where_the_newer_servers_are() {
        for (given, expected) in [
            ("-p a", "-p a -- --include-ignored"),
            ("-p a -- b -- c", "-p a -- b -- c --include-ignored"),
            ("-p a -- --ignored", "-p a -- --ignored"),
            ("-p a -- --include-ignored b", "-p a -- --include-ignored b"),
        ] {
            assert_eq!(joined(given, true), expected);
        }
    }

    fn joined(given: &str, newer: bool) -> String {
        let given: Vec<_> = given.split_whitespace().collect();
        let words = words(&given, newer).join(" ");
        words
            .strip_prefix("test --no-fail-fast ")
            .map(str::to_owned)
            .unwrap_or_default()
    }
}
