//! `alertmanager.yml`, in the subset that Vigie supports; anything else is a mistake with its position.
//!
//! A mistake is one here if it is one for Alertmanager, or if Vigie could not do what is written. Receivers are complete
//! once loaded: what `global` says is in them. Paths are as they are written.

mod duration;
mod global;
mod http;
mod inhibit;
mod interval;
mod mask;
mod paths;
mod read;
mod receiver;
mod route;
mod secret;
pub mod short;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use vigie_alerts::yaml;

pub use global::{Global, Smtp};
pub use http::{Credentials, HttpConfig, TlsConfig};
pub use inhibit::InhibitRule;
pub use mask::masked;
pub use receiver::{
    Discord, Email, Integration, Kind, MsTeams, Ntfy, PagerDuty, PagerDutyImage, PagerDutyKey,
    PagerDutyLink, Pushover, Receiver, Slack, SlackAction, SlackConfirm, SlackField, Telegram,
    TelegramChat, Webhook,
};
pub use route::{GroupBy, Route};
pub use secret::Secret;
pub(crate) use secret::http_url;

use crate::interval::TimeIntervals;
use crate::problem::Problems;
use read::Reader;

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The longest `timeout` of a receiver.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// An Alertmanager to forward alerts to.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    /// Its URL, without the path of the API.
    pub url: url::Url,
    /// The credentials and the TLS settings.
    pub http: HttpConfig,
}

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The defaults.
    pub global: Global,
    /// The routing tree.
    pub route: Route,
    /// The receivers.
    pub receivers: Vec<Receiver>,
    /// The inhibition rules.
    pub inhibit_rules: Vec<InhibitRule>,
    /// The named time intervals.
    pub time_intervals: Vec<TimeIntervals>,
    /// The files with templates, as patterns.
    pub templates: Vec<String>,
}

/// Keys of Alertmanager that are not supported.
const ELSEWHERE: &[&str] = &["tracing", "event_recorder"];

/// Reads a configuration file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(text: &str) -> Result<Config, Problems> {
    let reader = Reader::new(text);
    let config = read_file(&reader, text);
    let problems = reader.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(Problems(problems)),
    }
}

fn read_file(reader: &Reader<'_>, text: &str) -> Option<Config> {
    if text.len() > MAX_FILE_BYTES {
        let found = format!("the file has {} bytes", text.len());
        let accepted = format!("at most {MAX_FILE_BYTES} are accepted");
        reader.problem(0..0, found, accepted, None);
        return None;
    }
    let document = match yaml::parse(text) {
        Ok(document) => document,
        Err(error) => {
            reader.problem(error.span, error.title, error.label, error.help);
            return None;
        }
    };
    if let Some(span) = document.ignored {
        let accepted = "a configuration is one document";
        reader.problem(span, "a second document", accepted, None);
    }
    let Some(root) = document.root else {
        reader.problem(0..0, "the file is empty", "needs `route`", None);
        return None;
    };
    let table = reader.table(&root, "a configuration")?;
    let global = table.take("global");
    let global = global.map_or_else(Global::default, |given| Global::read(reader, given.node));
    let receivers = table.take("receivers");
    let receivers = receivers.map(|given| receiver::read_all(reader, given.node, &global));
    let receivers = receivers.unwrap_or_default();
    let time_intervals = interval::read_all(&table);
    let names = route::Names {
        receivers: receivers.iter().map(|known| &*known.name).collect(),
        intervals: time_intervals.iter().map(|known| &*known.name).collect(),
    };
    let route = match table.take("route") {
        Some(given) => {
            let table = reader.table(given.node, "a route");
            table.map(|table| route::read(table, &names, true))
        }
        None => {
            table.missing("route");
            None
        }
    };
    let inhibit_rules = table.tables("inhibit_rules", "an inhibition rule");
    let inhibit_rules = inhibit_rules.into_iter().map(inhibit::read).collect();
    let templates = table.texts("templates");
    table.finish(ELSEWHERE);
    Some(Config {
        global,
        route: route?,
        receivers,
        inhibit_rules,
        time_intervals,
        templates,
    })
}
