//! `global`: the defaults of receivers.

use std::time::Duration;

use url::Url;

use super::http::{HttpConfig, TlsConfig};
use super::read::Reader;
use super::secret::Secret;
use super::table::Table;
use vigie_alerts::yaml::Node;

/// Defaults of receivers, and the timeout of alerts.
#[derive(Clone, Debug)]
pub struct Global {
    /// An alert without an end resolves this long after it was last received.
    pub resolve_timeout: Duration,
    pub(super) http: HttpConfig,
    pub(super) smtp: Smtp,
    pub(super) slack_api_url: Option<Secret>,
    pub(super) telegram_api_url: Url,
    pub(super) telegram_bot_token: Option<Secret>,
    pub(super) pagerduty_url: Url,
}

/// The mail server and the login.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// The server, `host:port`; an e-mail receiver needs one.
    pub smarthost: String,
    /// The sender.
    pub from: String,
    /// The name given to the server.
    pub hello: String,
    /// The user for LOGIN and PLAIN, and for CRAM-MD5.
    pub auth_username: String,
    /// The password for LOGIN and PLAIN.
    pub auth_password: Option<Secret>,
    /// The secret for CRAM-MD5.
    pub auth_secret: Option<Secret>,
    /// The identity for PLAIN.
    pub auth_identity: String,
    /// Whether an unencrypted connection is refused.
    pub require_tls: bool,
    /// TLS from the first byte; without a value on port 465 only.
    pub implicit_tls: Option<bool>,
    /// The TLS settings.
    pub tls: TlsConfig,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            smarthost: String::new(),
            from: String::new(),
            hello: "localhost".to_owned(),
            auth_username: String::new(),
            auth_password: None,
            auth_secret: None,
            auth_identity: String::new(),
            require_tls: true,
            implicit_tls: None,
            tls: TlsConfig::default(),
        }
    }
}

impl Default for Global {
    fn default() -> Self {
        Self {
            resolve_timeout: Duration::from_secs(300),
            http: HttpConfig::default(),
            smtp: Smtp::default(),
            slack_api_url: None,
            telegram_api_url: known_url("https://api.telegram.org"),
            telegram_bot_token: None,
            pagerduty_url: known_url("https://events.pagerduty.com/v2/enqueue"),
        }
    }
}

#[allow(clippy::expect_used)] // A constant: no input can make it fail.
fn known_url(text: &str) -> Url {
    Url::parse(text).expect("a valid URL")
}

/// Keys of Alertmanager that are not supported.
const ELSEWHERE: &[&str] = &[
    "jira_api_url",
    "slack_app_token",
    "slack_app_token_file",
    "slack_app_url",
    "opsgenie_api_url",
    "opsgenie_api_key",
    "opsgenie_api_key_file",
    "wechat_api_url",
    "wechat_api_secret",
    "wechat_api_secret_file",
    "wechat_api_corp_id",
    "victorops_api_url",
    "victorops_api_key",
    "victorops_api_key_file",
    "webex_api_url",
    "rocketchat_api_url",
    "rocketchat_token",
    "rocketchat_token_file",
    "rocketchat_token_id",
    "rocketchat_token_id_file",
    "mattermost_webhook_url",
    "mattermost_webhook_url_file",
];

impl Global {
    pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Self {
        let Some(table) = reader.table(node, "`global`") else {
            return Self::default();
        };
        let default = Self::default();
        let global = Self {
            resolve_timeout: table
                .duration("resolve_timeout")
                .unwrap_or(default.resolve_timeout),
            http: table.http(&default.http),
            smtp: Smtp {
                smarthost: table.smarthost("smtp_smarthost", ""),
                from: table.string("smtp_from", ""),
                hello: table.string("smtp_hello", "localhost"),
                auth_username: table.string("smtp_auth_username", ""),
                auth_password: table.secret("smtp_auth_password", "smtp_auth_password_file"),
                auth_secret: table.secret("smtp_auth_secret", "smtp_auth_secret_file"),
                auth_identity: table.string("smtp_auth_identity", ""),
                require_tls: table.flag("smtp_require_tls", true),
                implicit_tls: table.maybe_flag("smtp_force_implicit_tls"),
                tls: table.tls("smtp_tls_config").unwrap_or_default(),
            },
            slack_api_url: table.secret_url("slack_api_url", "slack_api_url_file"),
            telegram_api_url: table
                .url("telegram_api_url")
                .unwrap_or(default.telegram_api_url),
            telegram_bot_token: table.secret("telegram_bot_token", "telegram_bot_token_file"),
            pagerduty_url: table.url("pagerduty_url").unwrap_or(default.pagerduty_url),
        };
        table.finish(ELSEWHERE);
        global
    }
}

impl Table<'_, '_, '_> {
    /// `host:port`.
    pub(super) fn smarthost(&self, name: &'static str, default: &str) -> String {
        let accepted = "HOST:PORT, as in smtp.example.org:587";
        let parsed = self.parsed(name, accepted, |text| {
            let (host, port) = text.rsplit_once(':')?;
            let bare = host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'));
            let clear = bare.is_some() || !host.contains([':', '[', ']']);
            (text.is_empty() || (clear && !port.is_empty())).then(|| text.to_string())
        });
        parsed
            .filter(|given| !given.is_empty())
            .unwrap_or_else(|| default.to_owned())
    }
}
