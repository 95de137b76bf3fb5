//! `vigie silence`: the silences of a running Vigie, or of any Alertmanager.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;
use vigie_notify::matcher::{self, MatchOp, Matcher};
use vigie_query::{Target, printable};

use super::alerts::printed;
use super::remote::{Failure, Remote, Screen, columns, finish};

/// The length of a silence by default.
const LENGTH: &str = "1h";

const EXAMPLES: &str = "\
Examples:
  vigie silence add QueueBacklog queue=mail --for 2h --comment 'import is running'
  vigie silence add 'alertname=~\"Queue.*\"' --comment 'maintenance'
  vigie silence list queue=mail
  vigie silence expire 2b6e0c2c-0e48-4f06-8f2b-0e6b9b2b9f5a

A matcher is written as for amtool: name=value, name!=value, name=~expression or
name!~expression. A first word without an operator is the name of an alert.
Changes need the credentials of the admin port.

Exit codes: 0 success, 1 failure, 2 wrong usage.";

/// The silences, which mute alerts for a time.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Silence {
    /// Mute the alerts that match, and print the identifier of the silence
    Add(Add),
    /// List the silences
    List(List),
    /// End silences
    Expire(Expire),
}

/// The arguments of `vigie silence add`.
#[derive(Args)]
pub struct Add {
    /// The alerts: all of the matchers must match
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,
    /// How long: 30m, 2h, 1d
    #[arg(long = "for", value_name = "DURATION", default_value = LENGTH)]
    length: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who; user@host by default
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// The server.
    #[command(flatten)]
    target: Target,
}

/// The arguments of `vigie silence list`.
#[derive(Args)]
pub struct List {
    /// Only the silences that have these matchers
    #[arg(value_name = "MATCHER")]
    matchers: Vec<String>,
    /// Also those that have ended
    #[arg(long)]
    expired: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The server.
    #[command(flatten)]
    target: Target,
}

/// The arguments of `vigie silence expire`.
#[derive(Args)]
pub struct Expire {
    /// The identifiers
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// The server.
    #[command(flatten)]
    target: Target,
}

/// Runs the command and prints its result. Errors are printed to the standard error, in colour if `coloured`.
///
/// # Errors
/// If the server cannot be reached or refuses the request, or the result cannot be printed.
pub fn run(config: Option<PathBuf>, silence: &Silence, coloured: bool) -> Result<ExitCode> {
    let (name, result) = match silence {
        Silence::Add(arguments) => ("vigie silence add", add(config, arguments)),
        Silence::List(arguments) => ("vigie silence list", list(config, arguments)),
        Silence::Expire(arguments) => ("vigie silence expire", expire(config, arguments)),
    };
    finish(name, printed(result), coloured)
}

fn add(config: Option<PathBuf>, arguments: &Add) -> Result<String, Failure> {
    let matchers = matchers(&arguments.matchers).map_err(Failure::Usage)?;
    let length = duration(&arguments.length).map_err(Failure::Usage)?;
    let now = Timestamp::now();
    let end = now.checked_add(length);
    let end = end.map_err(|_| Failure::Usage("--for is too long".to_owned()))?;
    let body = json!({
        "matchers": matchers,
        "startsAt": now.to_string(),
        "endsAt": end.to_string(),
        "createdBy": arguments.author.clone().unwrap_or_else(author),
        "comment": arguments.comment,
    });
    let remote = Remote::of(config, &arguments.target)?;
    let answer = remote.send(Method::POST, "/api/v2/silences", Some(&body))?;
    #[derive(Deserialize)]
    struct Created {
        #[serde(rename = "silenceID")]
        id: String,
    }
    let created: Created = serde_json::from_slice(&answer)
        .context("the server does not answer as Alertmanager does")?;
    Ok(format!("{}\n", printable(&created.id)))
}

/// A silence as the server sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    matchers: Vec<Matcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: String,
    comment: String,
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

fn list(config: Option<PathBuf>, arguments: &List) -> Result<String, Failure> {
    let matchers = matchers(&arguments.matchers).map_err(Failure::Usage)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    for matcher in &matchers {
        query.append_pair("filter", &matcher.to_string());
    }
    let remote = Remote::of(config, &arguments.target)?;
    let path = format!("/api/v2/silences?{}", query.finish());
    let silences: Option<Vec<serde_json::Value>> = remote.get(&path)?;
    let missing = || anyhow!("{} has no silences", remote.place());
    let mut silences = silences.ok_or_else(missing)?;
    // Alertmanager 0.33 does not select by the state.
    silences.retain(|silence| arguments.expired || silence["status"]["state"] != "expired");
    if arguments.json {
        return Ok(format!("{:#}\n", serde_json::Value::from(silences)));
    }
    let silences: Result<Vec<Listed>, _> =
        silences.into_iter().map(serde_json::from_value).collect();
    let silences = silences.context("the server does not answer as Alertmanager does")?;
    Ok(table(&silences, &Screen::of_stdout()))
}

fn table(silences: &[Listed], screen: &Screen) -> String {
    if silences.is_empty() {
        return "no silences\n".to_owned();
    }
    let head = ["id", "state", "matchers", "ends", "author", "comment"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(silences.iter().map(|silence| {
        let matchers = silence.matchers.iter().map(ToString::to_string);
        let matchers = matchers.collect::<Vec<_>>().join(" ");
        let ends = match &*silence.status.state {
            "pending" => format!(
                "{} (starts {})",
                screen.time(silence.ends_at),
                screen.time(silence.starts_at)
            ),
            "active" => format!(
                "{} (in {})",
                screen.time(silence.ends_at),
                screen.until(silence.ends_at)
            ),
            _ => screen.time(silence.ends_at),
        };
        let texts = [
            &silence.id,
            &silence.status.state,
            &matchers,
            &ends,
            &silence.created_by,
            &silence.comment,
        ];
        texts.map(|text| printable(text)).to_vec()
    }));
    columns(&rows)
}

fn expire(config: Option<PathBuf>, arguments: &Expire) -> Result<String, Failure> {
    let remote = Remote::of(config, &arguments.target)?;
    for id in &arguments.ids {
        let form = |c: char| c.is_ascii_hexdigit() || c == '-';
        if !id.chars().all(form) {
            let message =
                format!("{id:?} is no identifier of a silence; vigie silence list prints them");
            return Err(Failure::Usage(message));
        }
        let ended = remote.send(Method::DELETE, &format!("/api/v2/silence/{id}"), None);
        ended.with_context(|| format!("cannot end the silence {id}"))?;
    }
    Ok(String::new())
}

/// The matchers; a first word without an operator is the name of an alert.
fn matchers(texts: &[String]) -> Result<Vec<Matcher>, String> {
    let texts = texts.iter().enumerate();
    let parsed = texts.map(|(at, text)| match at == 0 && !text.contains(['=', '~']) {
        true => Matcher::new("alertname", MatchOp::Equal, text.as_str()),
        false => self::matcher(text),
    });
    parsed.collect()
}

/// One matcher of the command line.
pub(super) fn matcher(text: &str) -> Result<Matcher, String> {
    matcher::parse_one(text).map_err(|error| {
        format!("the matcher {text:?}: {error}; accepted: name=value, name!=value, name=~expression, name!~expression")
    })
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let parsed = vigie_query::parse_duration(text).filter(|length| length.is_positive());
    parsed.ok_or_else(|| format!("--for {text:?}: expected a duration, like 30m, 2h or 1d"))
}

/// The user and the host.
pub(super) fn author() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    let user = user.unwrap_or_else(|| "unknown".to_owned());
    format!("{user}@{}", vigie_election::host_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_as_amtool_reads_them() {
        let shown = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            matchers(&texts).map(|matchers| {
                let texts = matchers.iter().map(ToString::to_string);
                texts.collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(
            shown(&["Slow", "queue=mail", "a!=b", "c=~d|e"]).unwrap(),
            "alertname=\"Slow\" queue=\"mail\" a!=\"b\" c=~\"d|e\""
        );
        assert_eq!(shown(&["a=b"]).unwrap(), "a=\"b\"");
        assert!(shown(&["a=b", "Slow"]).unwrap_err().contains("\"Slow\""));
        assert!(shown(&["a=~("]).is_err());
    }

    #[test]
    fn lengths() {
        assert_eq!(duration("2h").unwrap(), SignedDuration::from_hours(2));
        assert_eq!(duration("1h30m").unwrap(), SignedDuration::from_mins(90));
        for wrong in ["", "0s", "soon", "-1h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
