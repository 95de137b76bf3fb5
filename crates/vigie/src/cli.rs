//! The command line, as typed. [`vigie_config`] interprets it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use vigie_redis::redact;

use crate::commands::{alerts, dashboards, queue, rules, silence};
use vigie_config::{Flag, Sources};

const EXAMPLES: &str = "\
Examples:
  vigie run --config vigie.toml
  vigie run --app http://127.0.0.1:3000 --redis redis://127.0.0.1:6379
  vigie check --config vigie.toml
  vigie query --last 1h 'rate(http_request_duration_seconds_count[5m])'

Settings come from the file, then the environment (VIGIE__SECTION__KEY, as in
VIGIE__GATEWAY__APP; REDIS_URL and DATABASE_URL when nothing else names them),
then the flags; the last one wins. Prefer the file or the environment for
addresses with a password: other users of the machine can see flags.

Exit codes: 0 success, 1 failure, 2 wrong usage or settings.";

/// Watches a realtime backend from outside: HTTP, Socket.IO, BullMQ, Redis and SQL.
#[derive(Parser)]
#[command(name = "vigie", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// The configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE", display_order = 0)]
    #[arg(env = "VIGIE_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Watch: carry the traffic, read the queues, run the checks, serve the metrics
    #[command(after_help = "\
Examples:
  vigie run --config vigie.toml
  vigie run --app http://127.0.0.1:3000 --listen 127.0.0.1:8080 --admin 127.0.0.1:9850 \\
            --redis redis://127.0.0.1:6379 --tick production/production-tick

SIGTERM or SIGINT ends it once open requests are done, a second one at once: with
exit code 143 (SIGTERM) or 130 (SIGINT).")]
    Run(Overrides),
    /// Connect once to everything that is configured and say what works
    #[command(after_help = "\
Example:
  vigie check --config vigie.toml

Exit code 0 when everything works, 1 otherwise.")]
    Check(Overrides),
    /// Ask a running Vigie, or any Prometheus, in PromQL: a table, or a plot
    Query(vigie_query::Query),
    /// A queue of a running Vigie, and why its jobs failed
    Queue(queue::Queue),
    /// The firing and pending alerts of a running Vigie, or of any Prometheus
    Alerts(alerts::Alerts),
    /// Mute alerts for a time, in a running Vigie or any Alertmanager
    #[command(subcommand)]
    Silence(silence::Silence),
    /// Rule files: print the built-in ones, check your own
    #[command(subcommand)]
    Rules(rules::Rules),
    /// The dashboards for Grafana
    #[command(subcommand)]
    Dashboards(dashboards::Command),
    /// Print the completion script of a shell
    #[command(after_help = "\
Examples:
  vigie completions bash > /etc/bash_completion.d/vigie
  vigie completions fish > ~/.config/fish/completions/vigie.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page
    #[command(after_help = "\
Examples:
  vigie man > vigie.1
  vigie man run > vigie-run.1")]
    Man {
        /// The command that the page is about; the whole program by default
        #[arg(value_parser = ["run", "check", "query", "queue", "alerts", "silence", "rules", "dashboards", "completions", "man"])]
        command: Option<String>,
    },
}

/// Flags that win over the environment and the file. Not `Debug`: they may hold secrets.
#[derive(Args, Default)]
pub struct Overrides {
    /// The app behind the gateway [gateway.app]
    #[arg(long, value_name = "URL")]
    pub app: Option<String>,
    /// Instead of the gateway: read HTTP from the packets of this port, like :3000 or eth0:3000 [capture.listen]
    #[arg(long, value_name = "[INTERFACE]:PORT")]
    pub capture: Option<String>,
    /// Where the gateway listens [gateway.listen]
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<String>,
    /// Where /metrics, /healthz and /readyz are served [admin.listen]
    #[arg(long, value_name = "IP:PORT")]
    pub admin: Option<String>,
    /// Redis, with the BullMQ queues in it [redis.url]
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// The SQL database: postgres, mysql, mariadb or sqlite [database.url]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The periodic job to time; without JOB, every job of the queue [tick.queue, tick.job]
    #[arg(long, value_name = "QUEUE[/JOB]")]
    pub tick: Option<String>,
    /// The form of Vigie's own log: auto, text or json [log.format]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// The filter of Vigie's log, like info or info,vigie=debug [log.filter]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Overrides {
    /// The keys set by flags, each with its flag.
    #[must_use]
    pub fn flags(&self) -> Vec<Flag> {
        let one = [
            ("--app", "gateway.app", &self.app),
            ("--capture", "capture.listen", &self.capture),
            ("--listen", "gateway.listen", &self.listen),
            ("--admin", "admin.listen", &self.admin),
            ("--redis", "redis.url", &self.redis),
            ("--database", "database.url", &self.database),
            ("--log-format", "log.format", &self.log_format),
            ("--log", "log.filter", &self.log),
        ];
        let set = one.into_iter().filter(|(_, _, value)| value.is_some());
        let mut flags: Vec<Flag> = set
            .map(|(name, key, value)| Flag {
                name,
                key,
                value: value.clone(),
            })
            .collect();
        if let Some(tick) = &self.tick {
            let (queue, job) = match tick.split_once('/') {
                Some((queue, job)) => (queue, Some(job)),
                None => (tick.as_str(), None),
            };
            // `--tick QUEUE` alone removes the job that the file names.
            for (key, value) in [("tick.queue", Some(queue)), ("tick.job", job)] {
                flags.push(Flag {
                    name: "--tick",
                    key,
                    value: value.map(str::to_owned),
                });
            }
        }
        flags
    }
}

/// The sources of the settings.
#[must_use]
pub fn sources(config: Option<PathBuf>, overrides: &Overrides) -> Sources {
    Sources {
        file: config,
        env: std::env::vars_os().collect(),
        flags: overrides.flags(),
    }
}

/// A usage error that is safe to print: clap quotes unexpected arguments, and one can be an address with a password
/// whose flag is missing.
#[must_use]
pub fn without_secrets(message: &str, arguments: impl Iterator<Item = String>) -> String {
    let secret =
        |argument: &String| redact::addresses(argument) != *argument || argument.contains('@');
    let message = arguments
        .filter(secret)
        .fold(message.to_owned(), |message, argument| {
            let value = argument
                .split_once('=')
                .map_or(&*argument, |(_, value)| value);
            message.replace(&argument, "***").replace(value, "***")
        });
    redact::addresses(&message)
}
