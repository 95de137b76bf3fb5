//! A test program that Cargo would run now, and that runs later beside others.
//!
//! Cargo builds the test programs, and starts each through the runner `xtask defer`. The runner prints the program,
//! its arguments, its directory and the variables of Cargo as a line, and ends. So Cargo chooses the programs and the
//! arguments, whatever the options are.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::hints;
use crate::say::say;

/// The name of the hidden command that defers a program.
pub(crate) const DEFER: &str = "defer";
/// The beginning of a deferred program's line.
const MARK: &str = "xtask-deferred ";
/// A test program that takes longer is killed.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// The arguments of [`DEFER`].
#[derive(clap::Args)]
pub(crate) struct Arguments {
    program: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Prints the program for [`Job::parse`]. A documentation test, which is deleted when this process ends, runs at once.
pub(crate) fn defer(arguments: &Arguments) -> anyhow::Result<std::process::ExitCode> {
    let Arguments { program, rest } = arguments;
    let directory = program.parent().and_then(Path::file_name);
    if directory.is_none_or(|name| name != "deps") {
        let error = Command::new(program).args(rest).exec();
        return Err(error).with_context(|| format!("cannot start {}", program.display()));
    }
    // The other variables are those of `cargo xtask` too.
    let of_cargo = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO") || name == "OUT_DIR" || name.ends_with("LIBRARY_PATH")
    };
    let variables: serde_json::Map<_, _> = env::vars_os()
        .filter(|(name, _)| of_cargo(name))
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    let line = json!({
        "program": program,
        "arguments": rest,
        "directory": env::current_dir()?,
        "variables": variables,
    });
    say(&format!("{MARK}{line}"));
    Ok(std::process::ExitCode::SUCCESS)
}

/// A deferred test program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The line that Cargo prints before it starts the program.
    pub(crate) heading: String,
    /// `package::target`; the target of a package's unit tests has the name of the library or program.
    pub(crate) name: String,
    program: PathBuf,
    arguments: Vec<String>,
    directory: PathBuf,
    variables: Vec<(String, String)>,
}

/// The result of a test program.
pub(crate) struct Ended {
    pub(crate) job: Job,
    /// Both streams, in order.
    pub(crate) output: String,
    /// Its status, or why it has none.
    pub(crate) status: Result<ExitStatus, String>,
    pub(crate) took: Duration,
}

impl Job {
    /// Parses the line of a deferred program; `None` if it is another line.
    pub(crate) fn parse(heading: &str, line: &str) -> Option<Self> {
        let fields: Value = serde_json::from_str(line.strip_prefix(MARK)?).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let variables: Vec<_> = fields["variables"]
            .as_object()?
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect();
        let program = PathBuf::from(fields["program"].as_str()?);
        let mut of_package = variables.iter();
        let package =
            of_package.find_map(|(name, value)| (name == "CARGO_PKG_NAME").then_some(value));
        let package = package.map_or("", String::as_str);
        let file = program.file_name()?.to_string_lossy();
        let target = file.rsplit_once('-').map_or(&*file, |(target, _)| target);
        Some(Self {
            heading: heading.to_owned(),
            name: format!("{package}::{target}"),
            arguments: fields["arguments"]
                .as_array()?
                .iter()
                .filter_map(text)
                .collect(),
            directory: fields["directory"].as_str()?.into(),
            program,
            variables,
        })
    }

    /// Runs the program to its end. It is killed when the future is dropped.
    pub(crate) async fn run(self) -> Ended {
        let begun = Instant::now();
        let mut output = String::new();
        let status = match self.follow(&mut output).await {
            Ok(status) => Ok(status),
            Err(error) => Err(format!("{error:#}")),
        };
        Ended {
            job: self,
            output,
            status,
            took: begun.elapsed(),
        }
    }

    async fn follow(&self, output: &mut String) -> anyhow::Result<ExitStatus> {
        // Not a pipe, which a process that outlives the program would keep open.
        let mut file = tempfile::tempfile().context("cannot create a file for the output")?;
        let ended = self.wait(&file).await;
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        *output = String::from_utf8_lossy(&bytes).into_owned();
        ended
    }

    async fn wait(&self, output: &File) -> anyhow::Result<ExitStatus> {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .kill_on_drop(true);
        if let Some(threads) = hints::threads(&self.name)
            && env::var_os(hints::THREADS).is_none()
        {
            command.env(hints::THREADS, threads.to_string());
        }
        let mut child = command.spawn().context("cannot start the program")?;
        let ended = timeout(LIMIT, child.wait()).await;
        ended
            .with_context(|| format!("killed after {} minutes", LIMIT.as_secs() / 60))?
            .context("cannot wait for the program")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    impl Job {
        /// A program of the package `vigie`.
        pub(crate) fn of(program: &str, arguments: &[&str]) -> Self {
            let line = json!({
                "program": program,
                "arguments": arguments,
                "directory": "/",
                "variables": {"CARGO_PKG_NAME": "vigie", "CARGO_PKG_VERSION": "7"},
            });
            Self::parse("     Running tests/e2e/main.rs", &format!("{MARK}{line}")).unwrap()
        }
    }

    #[test]
    fn programs_have_the_name_of_their_package_and_target() {
        let job = Job::of("/target/debug/deps/e2e-0a1b", &["--nocapture"]);
        assert_eq!(job.name, "vigie::e2e");
        assert_eq!(job.arguments, ["--nocapture"]);
        assert_eq!(job.heading, "     Running tests/e2e/main.rs");
        assert_eq!(Job::parse("", "running 3 tests"), None);
        assert_eq!(Job::parse("", "xtask-deferred {"), None);
    }

    #[tokio::test]
    async fn both_streams_are_kept_with_the_status() {
        let script = "echo $PWD $CARGO_PKG_VERSION; echo b >&2; echo c; exit 3";
        let ended = Job::of("/bin/sh", &["-c", script]).run().await;
        assert_eq!(ended.output, "/ 7\nb\nc\n");
        assert_eq!(ended.status.unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn a_program_that_cannot_start_is_an_error() {
        let ended = Job::of("/target/debug/deps/none-1", &[]).run().await;
        let error = ended.status.unwrap_err();
        assert!(error.contains("cannot start"), "{error}");
    }
}
