//! The program `vigie`: parses the command line, resolves the settings, runs the command.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vigie::cli::{self, Cli, Command};
use vigie::commands;
use vigie::logging;
use vigie_config::{ConfigError, Settings};
use vigie_redis::redact;

/// Wrong usage or settings.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // One provider for every TLS client; crates panic if none is installed and several are compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut out = io::stdout();
    match cli.command {
        Command::Run(flags) => {
            let settings = Settings::load_to_serve(&cli::sources(cli.config, &flags));
            with_settings(settings, commands::run::run)
        }
        Command::Check(flags) => {
            let settings = Settings::load(&cli::sources(cli.config, &flags));
            with_settings(settings, commands::check::run)
        }
        Command::Query(query) => done(vigie_query::run(cli.config, &query, logging::coloured())),
        Command::Queue(queue) => done(commands::queue::run(
            cli.config,
            &queue,
            logging::coloured(),
        )),
        Command::Alerts(alerts) => done(commands::alerts::run(
            cli.config,
            &alerts,
            logging::coloured(),
        )),
        Command::Silence(silence) => done(commands::silence::run(
            cli.config,
            &silence,
            logging::coloured(),
        )),
        Command::Rules(rules) => finished(commands::rules::run(cli.config, &rules, &mut out)),
        Command::Dashboards(command) => printed(commands::dashboards::run(&command, &mut out)),
        Command::Completions { shell } => printed(commands::completions::run(shell, &mut out)),
        Command::Man { command } => printed(commands::man::run(command.as_deref(), &mut out)),
    }
}

fn with_settings(
    settings: Result<Settings, ConfigError>,
    run: impl FnOnce(Settings) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            complain(&error.render(logging::coloured()));
            return ExitCode::from(USAGE);
        }
    };
    let result = logging::init(&settings.log)
        .map_err(anyhow::Error::from)
        .and_then(|()| run(settings));
    done(result)
}

fn done(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        if let Some(mistakes) = error.downcast_ref::<vigie::alerting::Mistakes>() {
            complain(mistakes.render(logging::coloured()).trim_end());
            return ExitCode::from(USAGE);
        }
        complain(&format!("vigie: {error:#}"));
        let history: Option<&vigie_history::Error> = error.downcast_ref();
        let is_unusable = error.is::<vigie::alerting::Unusable>();
        match is_unusable || history.is_some_and(vigie_history::Error::is_misconfiguration) {
            true => ExitCode::from(USAGE),
            false => ExitCode::FAILURE,
        }
    })
}

/// clap also returns `--help` and `--version` as errors, whose exit code is 0.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return printed(error.print());
    }
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let message = if logging::coloured() {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    complain(cli::without_secrets(&message, arguments).trim_end());
    ExitCode::from(USAGE)
}

fn printed(result: io::Result<()>) -> ExitCode {
    finished(result.map(|()| ExitCode::SUCCESS))
}

/// A closed pipe (`vigie man | head`) is not a failure.
fn finished(result: io::Result<ExitCode>) -> ExitCode {
    match result.and_then(|code| io::stdout().flush().map(|()| code)) {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("vigie: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes to the standard error; if it is closed, the message is lost.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{}", redact::addresses(message));
}
