//! `vigie query`: sends a PromQL query to Vigie or any Prometheus, and prints the answer as a table or a plot.
//!
//! ```text
//! Query ─► Times, Server ─► POST /api/v1/query[_range] ─► Answer ─► table or plot
//!                                                      └► refusal, with a caret at the error
//! ```

mod answer;
mod plot;
mod refusal;
mod server;
mod table;
mod target;
mod time;

use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use vigie_config::ConfigError;
use vigie_promql::Expr;
use vigie_promql::syntax::AggregateOp;

pub use self::answer::{Answer, Data, Labels, Point, Series};
pub use self::server::{Server, reason};
pub use self::table::{braces, named, printable};
pub use self::target::{Target, TargetError};
use self::time::Times;
pub use self::time::parse_duration;

/// The exit code of wrong usage and of a refused query.
const USAGE: u8 = 2;
/// The width of the output when it is not a terminal.
const WIDTH: usize = 80;

const EXAMPLES: &str = "\
Examples:
  vigie query 'sum by (queue) (queue_jobs_total{state=\"waiting\"})'
  vigie query --last 1h 'rate(http_requests_errors_total[5m])'
  vigie query --from 14:00 --to 15:30 --step 1m production_tick_duration_seconds_count
  vigie query --url http://prometheus:9090 --json up

TIME is now, -15m, 14:30, '2026-11-24 14:30', RFC 3339 or Unix seconds.
DURATION is 30s, 5m, 1h30m or 1d.
Without --url, the query goes to the admin port in the configuration, with its token or password.

Exit codes: 0 an answer, 1 no answer, 2 wrong usage or a wrong query.";

/// The query, its times and the server.
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
    /// The server.
    #[command(flatten)]
    pub target: Target,
    /// Print the server's answer as it is
    #[arg(long)]
    pub json: bool,
}

/// Whether a stream shows colours: it is a terminal, and `NO_COLOR` is not set.
#[must_use]
pub fn coloured(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !refused
}

/// The properties of the terminal that the output depends on.
pub(crate) struct Terminal {
    pub(crate) width: usize,
    pub(crate) colour: bool,
    pub(crate) zone: TimeZone,
}

impl Terminal {
    fn of_stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let size = terminal_size::terminal_size().filter(|_| is_terminal);
        Self {
            width: size.map_or(WIDTH, |(width, _)| usize::from(width.0)),
            colour: coloured(&io::stdout()),
            zone: TimeZone::system(),
        }
    }
}

/// The reasons for which there is no answer.
enum Failure {
    Usage(String),
    Settings(ConfigError),
    /// The server's error message about the query.
    Refused(String),
    Other(anyhow::Error),
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Usage(message) => Self::Usage(message),
            TargetError::Settings(error) => Self::Settings(error),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Runs the query and prints the answer. The exit code is 2 when the query or its time is refused. Errors are printed to
/// the standard error, in colour if `coloured`.
///
/// # Errors
/// When the server cannot be reached, or the answer cannot be printed.
pub fn run(config: Option<PathBuf>, query: &Query, coloured: bool) -> Result<ExitCode> {
    let (message, code) = match ask(config, query) {
        Ok(()) => return Ok(ExitCode::SUCCESS),
        Err(Failure::Other(error)) => return Err(error),
        Err(Failure::Usage(message)) => (format!("vigie query: {message}"), USAGE),
        Err(Failure::Settings(error)) => (error.render(coloured), USAGE),
        Err(Failure::Refused(message)) => (refusal::render(&query.expr, &message, coloured), USAGE),
    };
    let _ = writeln!(io::stderr(), "{}", message.trim_end());
    Ok(ExitCode::from(code))
}

fn ask(config: Option<PathBuf>, query: &Query) -> Result<(), Failure> {
    let terminal = Terminal::of_stdout();
    let times = Times::of(query, Timestamp::now(), &terminal).map_err(Failure::Usage)?;
    let server = query.target.server(config)?;
    let runtime = runtime()?;
    let body = runtime.block_on(server.ask(&query.expr, &times))?;
    let answer = Answer::parse(&body);
    if query.json {
        print(&[&body, &b"\n"[..]].concat())?;
        return match answer {
            Ok(Err(refused)) => Err(Failure::Refused(refused)),
            _ => Ok(()),
        };
    }
    let answer = answer.context("the server does not answer as Prometheus does")?;
    let answer = answer.map_err(Failure::Refused)?;
    print(shown(&query.expr, &answer, &times, &terminal).as_bytes())?;
    for (kind, text) in answer.remarks() {
        let _ = writeln!(io::stderr(), "{kind}: {}", table::printable(text));
    }
    Ok(())
}

fn shown(expr: &str, answer: &Answer, times: &Times, terminal: &Terminal) -> String {
    match (&answer.data, times) {
        (Data::Scalar(point), _) => format!("{}\n", table::printable(&point.text)),
        (Data::Text(text), _) => format!("{}\n", table::printable(text)),
        (Data::Vector(series), _) => table::vector(series, is_ordered(expr)),
        (Data::Matrix(series), Times::Range(range)) => plot::plot(expr, series, range, terminal),
        (Data::Matrix(series), Times::At(_)) => table::samples(series, &terminal.zone),
    }
}

/// A runtime for requests.
///
/// # Errors
/// If the system has no resources for one.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Whether the query defines the order of the series.
fn is_ordered(expr: &str) -> bool {
    match vigie_promql::parse(expr).as_ref().map(Expr::unwrap_parens) {
        Ok(Expr::Call(call)) => call.function.name().starts_with("sort"),
        Ok(Expr::Aggregate(one)) => matches!(one.op, AggregateOp::Topk | AggregateOp::Bottomk),
        _ => false,
    }
}

/// Prints to the standard output. A reader that closes the pipe early is not an error.
///
/// # Errors
/// If it cannot be written otherwise.
pub fn print(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Formats a duration as the API's parameters expect it, in seconds.
fn seconds(duration: SignedDuration) -> String {
    duration.as_secs_f64().to_string()
}
