//! Webhooks: an HTTP POST with Alertmanager's body.

use std::time::Duration;

use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::secret::{Secret, is_http};
use super::super::table::Table;
use super::Kind;

/// `webhook_configs`.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The URL; it may be a template.
    pub url: Secret,
    /// The HTTP client's settings.
    pub http: HttpConfig,
    /// The most alerts in one message; 0 is no limit.
    pub max_alerts: u64,
    /// The deadline of a request; zero leaves it to Vigie.
    pub timeout: Duration,
}

/// Keys of Alertmanager that are not supported.
pub(super) const ELSEWHERE: &[&str] = &["payload"];

pub(super) fn read(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let url = table.secret_as("url", "url_file", |text| {
        text.contains("{{") || is_http(text)
    });
    let url = table.needed(url, "url` or `url_file");
    let http = table.http(&global.http);
    let max_alerts = table.number("max_alerts").unwrap_or(0);
    let timeout = table.timeout();
    Kind::Webhook(Box::new(Webhook {
        url,
        http,
        max_alerts,
        timeout,
    }))
}
