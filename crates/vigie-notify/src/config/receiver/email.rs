//! E-mail over SMTP.

use super::super::global::{Global, Smtp};
use super::super::table::Table;
use super::Kind;
use vigie_alerts::yaml::shown;

/// `email_configs`.
#[derive(Clone, Debug)]
pub struct Email {
    /// The recipients, between commas; a template.
    pub to: String,
    /// The mail server and the sender.
    pub smtp: Smtp,
    /// Header fields, as templates: canonical names, each once.
    pub headers: Vec<(String, String)>,
    /// The body as HTML, a template.
    pub html: String,
    /// The body as text, a template.
    pub text: String,
}

/// Keys of Alertmanager that are not supported.
pub(super) const ELSEWHERE: &[&str] = &["threading"];

pub(super) fn read(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let default = &global.smtp;
    let to = table.required("to").map(|text| text.to_string());
    let to = to.unwrap_or_default();
    let or = |given: String, default: &str| match given.is_empty() {
        true => default.to_owned(),
        false => given,
    };
    let password = table.secret("auth_password", "auth_password_file");
    let secret = table.secret("auth_secret", "auth_secret_file");
    let smtp = Smtp {
        smarthost: table.smarthost("smarthost", &default.smarthost),
        from: or(table.string("from", ""), &default.from),
        hello: or(table.string("hello", ""), &default.hello),
        auth_username: or(table.string("auth_username", ""), &default.auth_username),
        auth_password: password.or_else(|| default.auth_password.clone()),
        auth_secret: secret.or_else(|| default.auth_secret.clone()),
        auth_identity: or(table.string("auth_identity", ""), &default.auth_identity),
        require_tls: table.flag("require_tls", default.require_tls),
        implicit_tls: table
            .maybe_flag("force_implicit_tls")
            .or(default.implicit_tls),
        tls: table
            .tls("tls_config")
            .unwrap_or_else(|| default.tls.clone()),
    };
    if smtp.smarthost.is_empty() {
        table.missing("smarthost` or `smtp_smarthost` in `global");
    }
    if smtp.from.is_empty() {
        table.missing("from` or `smtp_from` in `global");
    }
    let headers = headers(table);
    let html = table.string("html", r#"{{ template "email.default.html" . }}"#);
    let text = table.string("text", "");
    Kind::Email(Box::new(Email {
        to,
        smtp,
        headers,
        html,
        text,
    }))
}

fn headers(table: &Table<'_, '_, '_>) -> Vec<(String, String)> {
    let reader = table.reader();
    let given = table.take("headers");
    let entries = given.and_then(|given| reader.entries(given.node, "`headers`"));
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, value) in entries.unwrap_or_default() {
        let name = canonical(key);
        if headers.iter().any(|(known, _)| *known == name) {
            let found = format!("the header `{}` is given twice", shown(&name));
            reader.problem(key.span(), found, "a header is given once", None);
        }
        if let Some(value) = reader.text(value, "a header") {
            headers.push((name, value.to_string()));
        }
    }
    headers
}

/// `in-reply-to` as `In-Reply-To`.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|first| first.to_ascii_uppercase());
        let rest = chars.map(|c| c.to_ascii_lowercase());
        first.into_iter().chain(rest).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
