//! `http_config` and `tls_config`.

use std::path::PathBuf;

use secrecy::SecretString;

use super::secret::Secret;
use super::table::Table;

/// The settings of a receiver's HTTP client.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The credentials sent.
    pub credentials: Option<Credentials>,
    /// The proxy, whose URL can hold a password.
    pub proxy_url: Option<SecretString>,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// The TLS settings.
    pub tls: TlsConfig,
}

/// The credentials of a request.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password, if there is one.
        password: Option<Secret>,
    },
    /// The header `Authorization: SCHEME SECRET`.
    Authorization {
        /// The scheme, `Bearer` by default.
        scheme: String,
        /// The credentials after the scheme.
        credentials: Secret,
    },
}

/// `tls_config`.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// The authorities that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate.
    pub cert_file: Option<PathBuf>,
    /// The key of that certificate.
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate must have, if not the host's.
    pub server_name: Option<String>,
    /// Whether any certificate is accepted.
    pub insecure_skip_verify: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            credentials: None,
            proxy_url: None,
            follow_redirects: true,
            tls: TlsConfig::default(),
        }
    }
}

/// Keys of Alertmanager that are not supported.
const HTTP_ELSEWHERE: &[&str] = &[
    "oauth2",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
    "http_headers",
];
const TLS_ELSEWHERE: &[&str] = &["ca", "cert", "key", "min_version", "max_version"];

impl Table<'_, '_, '_> {
    /// `http_config`, or that of `global`.
    pub(super) fn http(&self, global: &HttpConfig) -> HttpConfig {
        match self.take("http_config") {
            Some(given) => self
                .reader()
                .table(given.node, "`http_config`")
                .map_or_else(HttpConfig::default, read),
            None => global.clone(),
        }
    }

    pub(super) fn tls(&self, name: &'static str) -> Option<TlsConfig> {
        let given = self.take(name)?;
        let table = self.reader().table(given.node, "`tls_config`")?;
        let tls = TlsConfig {
            ca_file: table.path("ca_file"),
            cert_file: table.path("cert_file"),
            key_file: table.path("key_file"),
            server_name: table.filled("server_name").map(|text| text.to_string()),
            insecure_skip_verify: table.flag("insecure_skip_verify", false),
        };
        if tls.cert_file.is_some() != tls.key_file.is_some() {
            table.missing(if tls.cert_file.is_some() {
                "key_file"
            } else {
                "cert_file"
            });
        }
        table.finish(TLS_ELSEWHERE);
        Some(tls)
    }
}

fn read(table: Table<'_, '_, '_>) -> HttpConfig {
    let basic = table.take("basic_auth").and_then(|given| {
        let basic = table.reader().table(given.node, "`basic_auth`")?;
        let username = basic.required("username").map(|text| text.to_string());
        let password = basic.secret("password", "password_file");
        basic.finish(&["username_file", "username_ref", "password_ref"]);
        Some(Credentials::Basic {
            username: username?,
            password,
        })
    });
    let authorization = table.take("authorization").and_then(|given| {
        let table = table.reader().table(given.node, "`authorization`")?;
        let scheme = table.string("type", "Bearer");
        let credentials = table.secret("credentials", "credentials_file");
        let credentials = table.needed(credentials, "credentials` or `credentials_file");
        table.finish(&["credentials_ref"]);
        Some(Credentials::Authorization {
            scheme,
            credentials,
        })
    });
    let bearer = table.secret("bearer_token", "bearer_token_file");
    let bearer = bearer.map(|credentials| Credentials::Authorization {
        scheme: "Bearer".to_owned(),
        credentials,
    });
    for (first, second) in [
        ("basic_auth", "authorization"),
        ("basic_auth", "bearer_token"),
        ("basic_auth", "bearer_token_file"),
        ("authorization", "bearer_token"),
        ("authorization", "bearer_token_file"),
    ] {
        table.exclusive(first, second);
    }
    // One request on a connection of its own gains nothing from HTTP/2.
    table.flag("enable_http2", true);
    let http = HttpConfig {
        credentials: basic.or(authorization).or(bearer),
        proxy_url: table.login_url("proxy_url"),
        follow_redirects: table.flag("follow_redirects", true),
        tls: table.tls("tls_config").unwrap_or_default(),
    };
    table.finish(HTTP_ELSEWHERE);
    http
}
