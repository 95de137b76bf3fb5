//! `cargo xtask test`.

use std::process::ExitCode;

use anyhow::Context;

use crate::cargo::{build_vigie, cargo};
use crate::say::say;
use crate::setup::{self, Purpose};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`, such as `-p vigie-gateway` or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    setup::ensure(Purpose::Test)?;
    say("building vigie, which the end-to-end tests run");
    build_vigie(&[])?;
    let mut command = cargo();
    command.arg("test");
    if !names_packages(&arguments.rest) {
        command.arg("--workspace");
    }
    command.args(&arguments.rest);
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    say(&format!("running cargo {}", words.join(" ")));
    let status = command.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// Whether these arguments already say what is to be tested.
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
    fn the_workspace_is_meant_unless_packages_are_named() {
        let names =
            |line: &str| names_packages(&line.split(' ').map(String::from).collect::<Vec<_>>());
        assert!(names("-p vigie"));
        assert!(names("--release --package=vigie"));
        assert!(names("--workspace"));
        assert!(!names("--release -- -p"));
        assert!(!names(""));
    }
}
