//! PagerDuty and Pushover.

use std::time::Duration;

use url::Url;

use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::secret::Secret;
use super::super::table::Table;
use super::Kind;

/// `pagerduty_configs`. The texts are templates.
#[allow(missing_docs)] // Each field is PagerDuty's of that name.
#[derive(Clone, Debug)]
pub struct PagerDuty {
    /// The key of the Events API v2, or the older `service_key`.
    pub key: PagerDutyKey,
    pub url: Url,
    pub http: HttpConfig,
    pub client: String,
    pub client_url: String,
    pub description: String,
    /// Name and template, in the order of the file.
    pub details: Vec<(String, String)>,
    pub images: Vec<PagerDutyImage>,
    pub links: Vec<PagerDutyLink>,
    pub source: String,
    pub severity: String,
    pub class: String,
    pub component: String,
    pub group: String,
    /// The deadline of a request; zero leaves it to Vigie.
    pub timeout: Duration,
}

/// The two kinds of keys.
#[derive(Clone, Debug)]
pub enum PagerDutyKey {
    /// Events API v2.
    Routing(Secret),
    /// Events API v1.
    Service(Secret),
}

/// An image of an incident.
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct PagerDutyImage {
    pub src: String,
    pub alt: String,
    pub href: String,
}

/// A link of an incident.
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct PagerDutyLink {
    pub href: String,
    pub text: String,
}

/// `pushover_configs`. The texts are templates.
#[allow(missing_docs)] // Each field is Pushover's of that name.
#[derive(Clone, Debug)]
pub struct Pushover {
    pub user_key: Secret,
    pub token: Secret,
    pub http: HttpConfig,
    pub title: String,
    pub message: String,
    pub url: String,
    pub url_title: String,
    pub device: String,
    pub sound: String,
    pub priority: String,
    pub retry: Duration,
    pub expire: Duration,
    pub ttl: Duration,
    pub html: bool,
    pub monospace: bool,
}

pub(super) fn pagerduty(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let routing = table.secret("routing_key", "routing_key_file");
    let service = table.secret("service_key", "service_key_file");
    let key = match (routing, service) {
        (None, Some(service)) => PagerDutyKey::Service(service),
        (routing, _) => {
            PagerDutyKey::Routing(table.needed(routing, "routing_key` or `routing_key_file"))
        }
    };
    let url = table.url("url");
    let http = table.http(&global.http);
    let client = table.string("client", r#"{{ template "pagerduty.default.client" . }}"#);
    let client_url = table.string(
        "client_url",
        r#"{{ template "pagerduty.default.clientURL" . }}"#,
    );
    let description = table.string(
        "description",
        r#"{{ template "pagerduty.default.description" .}}"#,
    );
    let plain = |name: &'static str| table.string(name, "");
    let source = table.filled("source").map(|text| text.to_string());
    Kind::PagerDuty(Box::new(PagerDuty {
        details: details(table),
        images: images(table),
        links: links(table),
        source: source.unwrap_or_else(|| client.clone()),
        severity: plain("severity"),
        class: plain("class"),
        component: plain("component"),
        group: plain("group"),
        timeout: table.timeout(),
        key,
        url: url.unwrap_or_else(|| global.pagerduty_url.clone()),
        http,
        client,
        client_url,
        description,
    }))
}

/// The details given, and Alertmanager's four where they are not.
fn details(table: &Table<'_, '_, '_>) -> Vec<(String, String)> {
    const DEFAULT: [(&str, &str); 4] = [
        ("firing", "{{ .Alerts.Firing | toJson }}"),
        ("resolved", "{{ .Alerts.Resolved | toJson }}"),
        ("num_firing", "{{ .Alerts.Firing | len }}"),
        ("num_resolved", "{{ .Alerts.Resolved | len }}"),
    ];
    let reader = table.reader();
    let given = table.take("details");
    let given = given.and_then(|given| reader.entries(given.node, "`details`"));
    let mut details: Vec<(String, String)> = Vec::new();
    for (key, value) in given.unwrap_or_default() {
        if let Some(value) = reader.text(value, "a detail") {
            details.push((key.to_string(), value.to_string()));
        }
    }
    for (name, template) in DEFAULT {
        if !details.iter().any(|(known, _)| known == name) {
            details.push((name.to_owned(), template.to_owned()));
        }
    }
    details
}

fn images(table: &Table<'_, '_, '_>) -> Vec<PagerDutyImage> {
    let tables = table.tables("images", "an image of PagerDuty");
    let image = |table: Table<'_, '_, '_>| {
        let image = PagerDutyImage {
            src: table.string("src", ""),
            alt: table.string("alt", ""),
            href: table.string("href", ""),
        };
        table.finish(&[]);
        image
    };
    tables.into_iter().map(image).collect()
}

fn links(table: &Table<'_, '_, '_>) -> Vec<PagerDutyLink> {
    let tables = table.tables("links", "a link of PagerDuty");
    let link = |table: Table<'_, '_, '_>| {
        let link = PagerDutyLink {
            href: table.string("href", ""),
            text: table.string("text", ""),
        };
        table.finish(&[]);
        link
    };
    tables.into_iter().map(link).collect()
}

pub(super) fn pushover(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let user_key = table.secret("user_key", "user_key_file");
    let user_key = table.needed(user_key, "user_key` or `user_key_file");
    let token = table.secret("token", "token_file");
    let token = table.needed(token, "token` or `token_file");
    let themed = |name: &'static str| {
        let template = format!("{{{{ template \"pushover.default.{name}\" . }}}}");
        table.string(name, &template)
    };
    let plain = |name: &'static str| table.string(name, "");
    let http = table.http(&global.http);
    let (title, message, url) = (themed("title"), themed("message"), themed("url"));
    let (url_title, device, sound) = (plain("url_title"), plain("device"), plain("sound"));
    let priority = r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#;
    let priority = table.string("priority", priority);
    let seconds = |given: Option<Duration>, default| given.unwrap_or(Duration::from_secs(default));
    let (retry, expire) = (table.go_duration("retry"), table.go_duration("expire"));
    let ttl = seconds(table.go_duration("ttl"), 0);
    let html = table.flag("html", false);
    let monospace = table.flag("monospace", false);
    if html && monospace {
        let found = "both `html` and `monospace` in a Pushover receiver";
        let accepted = "one of them is accepted";
        table
            .reader()
            .problem(table.span.clone(), found, accepted, None);
    }
    Kind::Pushover(Box::new(Pushover {
        user_key,
        token,
        http,
        title,
        message,
        url,
        url_title,
        device,
        sound,
        priority,
        retry: seconds(retry, 60),
        expire: seconds(expire, 3600),
        ttl,
        html,
        monospace,
    }))
}
