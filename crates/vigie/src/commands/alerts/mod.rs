//! `vigie alerts`: the alerts of a running Vigie.

mod ack;
mod explain;
mod fetch;
mod list;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use vigie_query::Target;

use super::remote::{Failure, Remote, Screen, finish};
use list::State;

const EXAMPLES: &str = "\
Examples:
  vigie alerts
  vigie alerts --fail-on firing --json
  vigie alerts explain QueueBacklog
  vigie alerts ack QueueBacklog queue=mail --comment 'restarting the workers'
  vigie alerts test --config vigie.toml

Without --url, the admin port in the configuration is asked, with its token or password.

Exit codes: 0 an answer, 1 no answer (or with --fail-on, such an alert), 2 wrong usage.";

/// The firing and pending alerts, and what can be done about them.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Alerts {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand)]
enum Command {
    /// Show the parts of an alert's expression with their results, and when it fires
    Explain(explain::Explain),
    /// Mute an alert until it resolves
    Ack(ack::Ack),
    /// Send a real message to the receivers of the configuration, and print their answers
    Test(test::Test),
}

#[derive(Args)]
struct List {
    /// Exit with 1 if there is such an alert
    #[arg(long, value_name = "STATE")]
    fail_on: Option<FailOn>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The server.
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    /// A firing alert, also one whose state is unknown
    Firing,
    /// A firing or a pending alert
    Pending,
}

/// Runs the command and prints its result. Errors are printed to the standard error, in colour if `coloured`.
///
/// # Errors
/// If the server cannot be reached, or the result cannot be printed.
pub fn run(config: Option<PathBuf>, alerts: &Alerts, coloured: bool) -> Result<ExitCode> {
    let (name, result) = match &alerts.command {
        None => ("vigie alerts", list(config, &alerts.list)),
        Some(Command::Explain(explain)) => {
            let explained = Remote::of(config, &explain.target)
                .and_then(|remote| explain::run(&remote, explain, &Screen::of_stdout()));
            ("vigie alerts explain", printed(explained))
        }
        Some(Command::Ack(ack)) => {
            let done = Remote::of(config, &ack.target).and_then(|remote| ack::run(&remote, ack));
            ("vigie alerts ack", printed(done))
        }
        Some(Command::Test(test)) => ("vigie alerts test", test::run(config, test)),
    };
    finish(name, result, coloured)
}

/// Prints a result.
pub(super) fn printed(text: Result<String, Failure>) -> Result<ExitCode, Failure> {
    vigie_query::print(text?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn list(config: Option<PathBuf>, list: &List) -> Result<ExitCode, Failure> {
    let remote = Remote::of(config, &list.target)?;
    let groups = fetch::rules(&remote)?;
    let notified = fetch::notified(&remote)?;
    let alerts = list::alerts(&groups, notified.as_ref());
    let undelivered = notified
        .map(|notified| notified.undelivered)
        .unwrap_or_default();
    let text = match list.json {
        true => {
            let all = serde_json::json!({"alerts": alerts, "undelivered": undelivered});
            format!("{all:#}\n")
        }
        false => {
            let screen = Screen::of_stdout();
            list::table(&alerts, &screen) + &list::undelivered(&undelivered, &screen)
        }
    };
    vigie_query::print(text.as_bytes())?;
    let fails = alerts.iter().any(|alert| match list.fail_on {
        None => false,
        Some(FailOn::Firing) => alert.state != State::Pending,
        Some(FailOn::Pending) => true,
    });
    Ok(if fails {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
