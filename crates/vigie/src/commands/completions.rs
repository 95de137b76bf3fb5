//! `vigie completions`: the completion script of a shell.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;

/// Writes the completion script of `shell` to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(shell: Shell, out: &mut dyn io::Write) -> io::Result<()> {
    // `generate` panics when a write fails; a buffer cannot fail.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vigie", &mut script);
    out.write_all(&script)
}
