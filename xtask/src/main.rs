//! The developer commands of the repository: `cargo xtask setup`, `page`, `test`, `demo`, `bench` and `fuzz`.

mod bench;
mod cargo;
mod demo;
mod fuzz;
mod packages;
mod page;
mod say;
mod services;
mod setup;
mod sid;
mod test;
mod wheels;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::say::complain;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "The developer commands of the repository"
)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Installs or downloads the tools the other commands need: servers, programs, the demo's libraries
    Setup(setup::Arguments),
    /// Sets up and runs every test: unit, property and end-to-end
    Test(test::Arguments),
    /// Sets up and shows Vigie watching a real backend, until Ctrl-C
    Demo(demo::Arguments),
    /// Builds the web page, which the next compilation of Vigie embeds; needs Node 20
    Page,
    /// Builds every fuzz target and runs each for a while
    Fuzz(fuzz::Arguments),
    /// Sets up and measures Vigie against its peers; prints Markdown
    Bench(bench::Arguments),
    /// Prints a test program instead of running it; `test` calls it
    #[command(name = test::job::DEFER, hide = true)]
    Defer(test::job::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Action::Setup(arguments) => setup::run(&arguments),
        Action::Test(arguments) => test::run(&arguments),
        Action::Demo(arguments) => demo::run(&arguments),
        Action::Page => page::run(),
        Action::Fuzz(arguments) => fuzz::run(&arguments),
        Action::Bench(arguments) => bench::run(&arguments),
        Action::Defer(arguments) => test::job::defer(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            let missing = error.downcast_ref::<setup::Missing>().is_some();
            ExitCode::from(if missing { 2 } else { 1 })
        }
    }
}
