//! `vigie query`: asks a running Vigie, or any Prometheus, and shows the answer in the terminal.
//!
//! ```text
//! Args ─► Times, Server ─► POST /api/v1/query[_range] ─► Answer ─► table, or plot
//!                                                     └► the slip, with a caret under it
//! ```

mod answer;
mod plot;
mod server;
mod slip;
mod table;
mod time;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use secrecy::SecretString;
use vigie_promql::Expr;
use vigie_promql::syntax::AggregateOp;

use self::answer::{Answer, Data};
use self::server::Server;
use self::time::Times;
use crate::logging;
use vigie_config::{ConfigError, Settings, Sources};

/// Wrong usage: a query that is refused, too.
const USAGE: u8 = 2;
/// The width where there is no terminal.
const WIDTH: usize = 80;

const EXAMPLES: &str = "\
Examples:
  vigie query 'sum by (queue) (queue_jobs_total{state=\"waiting\"})'
  vigie query --last 1h 'rate(http_requests_errors_total[5m])'
  vigie query --from 14:00 --to 15:30 --step 1m production_tick_duration_seconds_count
  vigie query --url http://prometheus:9090 --json up

TIME is now, -15m, 14:30, '2026-11-24 14:30', RFC 3339 or Unix seconds.
DURATION is 30s, 5m, 1h30m or 1d.
Without --url, the Vigie that this configuration starts is asked, with its token or password.

Exit codes: 0 an answer, 1 no answer, 2 wrong usage or a wrong query.";

/// What is asked, and whom.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Query {
    /// The query, in PromQL
    pub expr: String,
    /// When to evaluate it; now by default
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with_all = ["last", "from", "to", "step"])]
    pub at: Option<String>,
    /// Over the last DURATION, as a plot
    #[arg(long, value_name = "DURATION", conflicts_with = "from")]
    pub last: Option<String>,
    /// Over a range from TIME, as a plot
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Until TIME; now by default
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// The time between two points; by default, so that they fill the width
    #[arg(long, value_name = "DURATION")]
    pub step: Option<String>,
    /// Another server, Vigie or Prometheus
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A file with the bearer token of that server
    #[arg(
        long,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "username"
    )]
    pub token_file: Option<PathBuf>,
    /// The name to log in with there
    #[arg(
        long,
        value_name = "NAME",
        requires = "url",
        requires = "password_file"
    )]
    pub username: Option<String>,
    /// A file with the password of that name
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// Print the server's answer as it is
    #[arg(long)]
    pub json: bool,
}

/// How the answer is shown.
pub(crate) struct Look {
    pub(crate) width: usize,
    pub(crate) colour: bool,
    pub(crate) zone: TimeZone,
}

impl Look {
    fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let size = terminal_size::terminal_size().filter(|_| terminal);
        let objects = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            width: size.map_or(WIDTH, |(width, _)| usize::from(width.0)),
            colour: terminal && !objects,
            zone: TimeZone::system(),
        }
    }
}

/// Why there is nothing to show.
enum Failure {
    Usage(String),
    Settings(ConfigError),
    /// What the server said of the query.
    Refused(String),
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Asks and shows. Exit code 2 when the query or its time is wrong.
///
/// # Errors
/// When the server cannot be asked, or the answer cannot be shown.
pub fn run(config: Option<PathBuf>, query: &Query) -> Result<ExitCode> {
    let (message, code) = match ask(config, query) {
        Ok(()) => return Ok(ExitCode::SUCCESS),
        Err(Failure::Other(error)) => return Err(error),
        Err(Failure::Usage(message)) => (format!("vigie query: {message}"), USAGE),
        Err(Failure::Settings(error)) => (error.render(logging::coloured()), USAGE),
        Err(Failure::Refused(message)) => (
            slip::render(&query.expr, &message, logging::coloured()),
            USAGE,
        ),
    };
    let _ = writeln!(io::stderr(), "{}", message.trim_end());
    Ok(ExitCode::from(code))
}

fn ask(config: Option<PathBuf>, query: &Query) -> Result<(), Failure> {
    let look = Look::of_stdout();
    let times = Times::of(query, Timestamp::now(), &look).map_err(Failure::Usage)?;
    let server = server(config, query)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let body = runtime.block_on(server.ask(&query.expr, &times))?;
    let answer = Answer::parse(&body);
    if query.json {
        print(&[&body, &b"\n"[..]].concat())?;
        return match answer {
            Ok(Err(refused)) => Err(Failure::Refused(refused)),
            _ => Ok(()),
        };
    }
    let answer = answer.context("this is no answer of a Prometheus")?;
    let answer = answer.map_err(Failure::Refused)?;
    print(shown(&query.expr, &answer, &times, &look).as_bytes())?;
    for (kind, text) in answer.remarks() {
        let _ = writeln!(io::stderr(), "{kind}: {}", table::printable(text));
    }
    Ok(())
}

fn shown(expr: &str, answer: &Answer, times: &Times, look: &Look) -> String {
    match (&answer.data, times) {
        (Data::Scalar(point), _) => format!("{}\n", table::printable(&point.text)),
        (Data::Text(text), _) => format!("{}\n", table::printable(text)),
        (Data::Vector(series), _) => table::vector(series, is_ordered(expr)),
        (Data::Matrix(series), Times::Range(range)) => plot::plot(expr, series, range, look),
        (Data::Matrix(series), Times::At(_)) => table::samples(series, &look.zone),
    }
}

/// Whether the order of the series is part of the answer.
fn is_ordered(expr: &str) -> bool {
    match vigie_promql::parse(expr).as_ref().map(Expr::unwrap_parens) {
        Ok(Expr::Call(call)) => call.function.name().starts_with("sort"),
        Ok(Expr::Aggregate(one)) => matches!(one.op, AggregateOp::Topk | AggregateOp::Bottomk),
        _ => false,
    }
}

/// The server that was named, or the Vigie that the settings are for.
fn server(config: Option<PathBuf>, query: &Query) -> Result<Server, Failure> {
    let Some(url) = &query.url else {
        let sources = Sources {
            file: config,
            env: std::env::vars_os().collect(),
            flags: Vec::new(),
        };
        let settings = Settings::load(&sources).map_err(Failure::Settings)?;
        return Ok(Server::of_settings(&settings.admin));
    };
    let secret = |path: &Option<PathBuf>| -> Result<Option<SecretString>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let secret = vigie_config::secret_file(path);
        let secret =
            secret.map_err(|reason| Failure::Usage(format!("{}: {reason}", path.display())))?;
        Ok(Some(secret.into()))
    };
    let token = secret(&query.token_file)?;
    let password = secret(&query.password_file)?;
    let basic = query.username.as_deref().zip(password.as_ref());
    Server::at(url, token.as_ref(), basic).map_err(Failure::Usage)
}

/// A reader that has seen enough is no failure.
fn print(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Seconds as a parameter takes them.
fn seconds(duration: SignedDuration) -> String {
    duration.as_secs_f64().to_string()
}
