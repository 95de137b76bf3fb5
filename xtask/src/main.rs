//! The chores of the repository: `cargo xtask setup`, `test`, `demo` and `bench`.

mod bench;
mod cargo;
mod demo;
mod say;
mod services;
mod setup;
mod test;
mod wheels;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::say::complain;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The chores of the repository")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Gets what the other chores need: servers, tools, the demo's libraries
    Setup(setup::Arguments),
    /// Sets up and runs every test: unit, property and end-to-end
    Test(test::Arguments),
    /// Sets up and shows Vigie watching a real backend, until Ctrl-C
    Demo(demo::Arguments),
    /// Sets up and measures Vigie against its peers; prints Markdown
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Setup(arguments) => setup::run(&arguments),
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Demo(arguments) => demo::run(&arguments),
        Chore::Bench(arguments) => bench::run(&arguments),
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
