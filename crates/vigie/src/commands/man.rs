//! `vigie man`: the manual pages, from the same definition as `--help`.

use std::io;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::Cli;

/// Writes the manual page of the program, or of one of its commands, to `out`.
///
/// # Errors
/// If the command does not exist, or `out` cannot be written.
pub fn run(command: Option<&str>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut cli = Cli::command();
    // Passes the global flags on to the commands and gives them their full names.
    cli.build();
    let page = match command {
        None => cli,
        Some(name) => cli
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| io::Error::other(format!("no command {name:?}")))?,
    };
    Man::new(page).render(out)
}
