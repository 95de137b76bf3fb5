//! `[notify]`: the receivers of notifications.

use url::Url;
use vigie_notify::config::short::{Severity, Short, ShortKind, ShortReceiver, SmtpUrl};
use vigie_notify::config::{Alertmanager, Credentials, HttpConfig, Secret, TlsConfig};
use vigie_redis::TlsFiles;

use crate::given::{Given, Place, Value};
use crate::problem::Problem;
use crate::reader::Reader;
use crate::settings::Notify;
use crate::values::{Parsed, boolean, http_url, list, one_of, text, wrong};

/// The most Alertmanagers.
const ALERTMANAGERS: usize = 16;
/// The most recipients of a mail.
const RECIPIENTS: usize = 50;

pub(crate) fn notify(r: &mut Reader) -> Notify {
    let file = r.path("notify.config");
    let mut receivers = Vec::new();
    for (section, read) in RECEIVERS {
        let path = format!("notify.{section}");
        let place = r.section(&path);
        let kind = read(r);
        let severity = r.or(
            &format!("{path}.severity"),
            one_of(SEVERITIES),
            default(section),
        );
        let send_resolved = r.or(&format!("{path}.send_resolved"), boolean, true);
        if let (Some(kind), Some(_)) = (kind, &place) {
            receivers.push(ShortReceiver {
                kind,
                severity,
                send_resolved,
            });
        }
    }
    let alertmanagers = alertmanagers(r);
    exclusive(r);
    match (file, alertmanagers.is_empty()) {
        (Some(file), _) => Notify::File(file),
        (None, false) => Notify::Alertmanagers(alertmanagers),
        (None, true) => Notify::Receivers(Short { receivers }),
    }
}

const SEVERITIES: &[(&str, Severity)] = &[("all", Severity::All), ("critical", Severity::Critical)];

/// PagerDuty wakes people, so it is for critical alerts. Pushover and ntfy get the others with a lower priority.
fn default(section: &str) -> Severity {
    match section {
        "pagerduty" => Severity::Critical,
        _ => Severity::All,
    }
}

type Read = fn(&mut Reader) -> Option<ShortKind>;

/// The sections of receivers.
const RECEIVERS: [(&str, Read); 9] = [
    ("slack", |r| {
        url(r, "slack").map(|url| ShortKind::Slack { url })
    }),
    ("email", email),
    ("webhook", |r| {
        url(r, "webhook").map(|url| ShortKind::Webhook { url })
    }),
    ("discord", |r| {
        url(r, "discord").map(|url| ShortKind::Discord { url })
    }),
    ("teams", |r| {
        url(r, "teams").map(|url| ShortKind::Teams { url })
    }),
    ("telegram", |r| {
        let token = required(r, "telegram", "token");
        let example = "chat = -1001234567890, the number of the chat";
        let chat = r.required("notify.telegram", "notify.telegram.chat", chat, example);
        Some(ShortKind::Telegram {
            token: token?,
            chat: chat?,
        })
    }),
    ("pagerduty", |r| {
        required(r, "pagerduty", "key").map(|key| ShortKind::PagerDuty { key })
    }),
    ("pushover", |r| {
        let (user, token) = (
            required(r, "pushover", "user"),
            required(r, "pushover", "token"),
        );
        Some(ShortKind::Pushover {
            user: user?,
            token: token?,
        })
    }),
    ("ntfy", |r| {
        let (url, token) = (url(r, "ntfy"), r.later_secret("notify.ntfy.token", text));
        Some(ShortKind::Ntfy { url: url?, token })
    }),
];

fn required(r: &mut Reader, section: &str, key: &str) -> Option<Secret> {
    required_as(r, section, key, text)
}

/// The URL of a receiver is a secret: it allows to send messages.
fn url(r: &mut Reader, section: &str) -> Option<Secret> {
    required_as(r, section, "url", http_url)
}

fn required_as(
    r: &mut Reader,
    section: &str,
    key: &str,
    kind: fn(&Given) -> Parsed<String>,
) -> Option<Secret> {
    let path = format!("notify.{section}.{key}");
    let secret = r.later_secret(&path, kind);
    let example = format!(r#"{key}_file = "…", or {key} = "…""#);
    r.require_secret(&format!("notify.{section}"), &path, &example);
    secret
}

fn email(r: &mut Reader) -> Option<ShortKind> {
    let section = "notify.email";
    let example = r#"to = ["ops@example.org"]"#;
    let to = r.required(
        section,
        "notify.email.to",
        list(RECIPIENTS, address),
        example,
    );
    let from = r.optional("notify.email.from", address);
    let smtp = r.secret("notify.email.smtp", smtp);
    let example = r#"smtp = "smtps://USER@HOST:465", or smtp_file = "…""#;
    r.require_secret(section, "notify.email.smtp", example);
    let password = r.later_secret("notify.email.password", text);
    let require_tls = r.or("notify.email.require_tls", boolean, true);
    let (to, smtp) = (to?, smtp?);
    let is_address = |user: &&String| user.contains('@');
    let from = from.or_else(|| smtp.username.as_ref().filter(is_address).cloned());
    let from = from.or_else(|| to.first().cloned());
    let Some(from) = from else {
        let place = r.place("notify.email.to").cloned();
        let title = "notify.email.to: found an empty list";
        r.problem(Problem::at(place, title, "expected a recipient"));
        return None;
    };
    Some(ShortKind::Email {
        to,
        from,
        smtp,
        password,
        require_tls,
    })
}

fn alertmanagers(r: &mut Reader) -> Vec<Alertmanager> {
    let given = |r: &Reader, at: usize| r.section(&format!("notify.alertmanagers.{at}")).is_some();
    // The first one is always read, so that its keys are known.
    let count = (0..ALERTMANAGERS).take_while(|at| given(r, *at)).count();
    let read: Vec<_> = (0..count.max(1)).map(|at| alertmanager(r, at)).collect();
    if given(r, ALERTMANAGERS) {
        let place = r.section(&format!("notify.alertmanagers.{ALERTMANAGERS}"));
        let title = format!("more than {ALERTMANAGERS} in notify.alertmanagers");
        r.problem(Problem::at(place, title, "drop this one"));
    }
    read.into_iter().flatten().collect()
}

fn alertmanager(r: &mut Reader, at: usize) -> Option<Alertmanager> {
    let section = format!("notify.alertmanagers.{at}");
    let key = |name: &str| format!("{section}.{name}");
    // A secret, because a login can stand in it by mistake.
    let url = r.secret(&key("url"), bare_url);
    let example = r#"url = "http://127.0.0.1:9093""#;
    r.require_secret(&section, &key("url"), example);
    let token = r.later_secret(&key("token"), text);
    let username = r.optional(&key("username"), text);
    let password = r.later_secret(&key("password"), text);
    let ca_file = r.file(&key("ca_file"), TlsFiles::judge_certificates);
    r.needs_secret(&key("password"), &key("username"));
    let credentials = match (token, username) {
        (Some(_), Some(_)) => {
            let place = r.secret_place(&key("token"));
            let title = format!("{section}: token excludes username and password");
            r.problem(Problem::at(place, title, "remove one of the two"));
            None
        }
        (Some(credentials), None) => Some(Credentials::Authorization {
            scheme: "Bearer".to_owned(),
            credentials,
        }),
        (None, username) => username.map(|username| Credentials::Basic { username, password }),
    };
    let tls = TlsConfig {
        ca_file,
        ..TlsConfig::default()
    };
    let http = HttpConfig {
        credentials,
        tls,
        ..HttpConfig::default()
    };
    url.map(|url| Alertmanager { url, http })
}

/// Reports a second way to configure notifications.
fn exclusive(r: &mut Reader) {
    let mut receivers = RECEIVERS.iter();
    let receiver = receivers.find_map(|(section, _)| {
        let path = format!("notify.{section}");
        r.section(&path).map(|place| (path, place))
    });
    let named = |key: &str, place: Option<Place>| place.map(|place| (key.to_owned(), place));
    let file = named("notify.config", r.place("notify.config").cloned());
    let forward = named("notify.alertmanagers", r.section("notify.alertmanagers"));
    let ways: Vec<_> = [file, forward, receiver].into_iter().flatten().collect();
    if let [(first, place), (second, other), ..] = &*ways {
        let title = format!("{first} excludes {second}");
        let problem = Problem::at(place.clone(), title, "choose this");
        r.problem(problem.also(Some(other), "or this"));
    }
}

/// A URL without a login.
fn bare_url(given: &Given) -> Parsed<Url> {
    let text = http_url(given)?;
    match Url::parse(&text) {
        Ok(url) if url.username().is_empty() && url.password().is_none() => Ok(url),
        _ => wrong("a URL without a login; give username and password_file, or token_file"),
    }
}

fn smtp(given: &Given) -> Parsed<SmtpUrl> {
    SmtpUrl::parse(given.text().unwrap_or_default().trim()).or_else(wrong)
}

/// The address of a mailbox.
fn address(given: &Given) -> Parsed<String> {
    let text = text(given)?;
    match vigie_notify::deliver::is_mailbox(&text) {
        true => Ok(text),
        false => wrong("an address, like ops@example.org or Ops <ops@example.org>"),
    }
}

/// The number of a Telegram chat; that of a group is negative.
fn chat(given: &Given) -> Parsed<i64> {
    let number = match &given.value {
        Value::Integer(number) => Some(*number),
        Value::Untyped(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number.filter(|number| *number != 0) {
        Some(number) => Ok(number),
        None => wrong("the number of a chat, like -1001234567890"),
    }
}
