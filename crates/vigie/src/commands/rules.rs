//! `vigie rules`: the rule files for Prometheus.

mod check;
mod files;
mod print;
mod report;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use crate::rules::BuiltIn;

/// What to do with rule files.
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
        /// What it is for; Prometheus itself by default
        #[arg(long = "for", value_name = "FORM")]
        form: Option<Form>,
    },
    /// Find what would bite later: in metrics, labels, thresholds, templates
    #[command(after_help = "\
Examples:
  vigie rules check /etc/prometheus/rules
  vigie rules print extended --for prometheusrule | vigie rules check -

Refused is what Prometheus 2.42 refuses, and besides: a metric or label that Vigie does not
have, rate() over something that is not a counter, a threshold for a quantile that is no
bucket bound, and a template that will not get what it asks for. Files that are checked
together know each other's recording rules, and always those of the built-in files.

Exit codes: 0 nothing found, 1 findings, 2 wrong usage or a file that cannot be read.")]
    Check {
        /// Rule files or `PrometheusRule` resources; directories are searched for *.yml and *.yaml, `-` is the standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// What a rule file is wrapped in.
#[derive(Clone, Copy, ValueEnum)]
pub enum Form {
    /// The custom resource of the Prometheus Operator (monitoring.coreos.com/v1)
    Prometheusrule,
}

/// Does it. What was found goes to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(rules: &Rules, out: &mut dyn io::Write) -> io::Result<ExitCode> {
    match rules {
        Rules::Print { file, form } => print::run(*file, *form, out),
        Rules::Check { files } => check::run(files, out),
    }
}
