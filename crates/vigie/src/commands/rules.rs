//! `vigie rules`: the rule files for Prometheus.

mod check;
mod declared;
mod failures;
mod files;
mod output;
mod print;
mod test;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::rules::{BuiltIn, report};

/// The subcommands.
#[derive(Subcommand)]
pub enum Rules {
    /// Print a built-in rule file
    #[command(after_help = "\
Examples:
  vigie rules print > /etc/prometheus/rules/vigie-essential.yml
  vigie rules print extended --for prometheusrule | kubectl apply -f -")]
    Print {
        /// Which file
        #[arg(default_value = "essential")]
        file: BuiltIn,
        /// Its format; Prometheus' own by default
        #[arg(long = "for", value_name = "FORM")]
        form: Option<Form>,
    },
    /// Find mistakes in rule files: metrics, labels, thresholds, templates
    #[command(after_help = "\
Examples:
  vigie rules check /etc/prometheus/rules
  vigie rules print extended --for prometheusrule | vigie rules check -
  curl -s http://127.0.0.1:9100/metrics | vigie rules check --metrics - my-rules.yml
  vigie rules check --strict --format github rules/

An error is what Prometheus 2.42 refuses, or a rule that can never work. A warning is
probably a mistake: a metric or label that does not exist, rate() over a gauge, a threshold
for a quantile that is not a bucket boundary. Files that are checked together know each
other's recording rules, and those of the built-in files.

Metrics and target labels of other exporters are declared with flags or in [rules] of the
configuration file. A comment suppresses findings of a rule, a group or a file:
  # vigie: ignore NAME[, NAME] -- reason

Exit codes: 0 no errors, 1 errors (with --strict also warnings), 2 wrong usage or a file
that cannot be read.")]
    Check(CheckArgs),
    /// Run unit tests of rules, in the format of `promtool test rules`
    #[command(after_help = "\
Examples:
  vigie rules test rules/tests
  vigie rules test my-tests.yml

A test loads series, evaluates the rules at each interval of a simulated time, and compares
the firing alerts and the results of expressions with the expected ones. In directories, rule
files are skipped.

Exit codes: 0 all tests passed, 1 a test failed or a file has a mistake, 2 wrong usage or a
file that cannot be read.")]
    Test(TestArgs),
}

/// The arguments of `vigie rules test`.
#[derive(Args)]
pub struct TestArgs {
    /// Unit-test files; directories are searched for *.yml and *.yaml, `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Permit experimental functions and modifiers of PromQL, as `query.experimental` does
    #[arg(long)]
    experimental: bool,
}

/// The arguments of `vigie rules check`.
#[derive(Args)]
pub struct CheckArgs {
    /// Rule files or `PrometheusRule` resources; directories are searched for *.yml and *.yaml, `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Metrics of another exporter: its /metrics page, or one name a line
    #[arg(long, value_name = "FILE")]
    metrics: Vec<PathBuf>,
    /// The prefix of the metrics of another exporter [rules.prefixes]
    #[arg(long, value_name = "PREFIX")]
    prefix: Vec<String>,
    /// A label that scraping adds to each series [rules.target_labels]
    #[arg(long, value_name = "LABEL")]
    target_label: Vec<String>,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
    /// The format of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The format of a report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the lines at fault
    Text,
    /// One JSON array
    Json,
    /// Annotations of GitHub Actions
    Github,
}

/// The format that a rule file is wrapped in.
#[derive(Clone, Copy, ValueEnum)]
pub enum Form {
    /// The custom resource of the Prometheus Operator (monitoring.coreos.com/v1)
    Prometheusrule,
}

/// Runs the command and writes its result to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(
    config: Option<PathBuf>,
    rules: &Rules,
    out: &mut dyn io::Write,
) -> io::Result<ExitCode> {
    match rules {
        Rules::Print { file, form } => print::run(*file, *form, out),
        Rules::Check(arguments) => check::run(config, arguments, out),
        Rules::Test(arguments) => test::run(arguments, out),
    }
}
