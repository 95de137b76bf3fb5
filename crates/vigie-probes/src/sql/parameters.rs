//! The parameters of a database URL, after its `?`: each is applied, known to be harmless, or an error.

use url::Url;

use crate::address::UrlError;

/// The parameters that the driver of an engine understands.
pub(super) struct Dialect {
    /// Parameters that the driver applies.
    driver: &'static [&'static str],
    /// Settings of other clients that change neither the server nor the login.
    harmless: &'static [&'static str],
    /// The driver's words for: without TLS, with TLS, and with a verified certificate and host name.
    disable: &'static str,
    require: &'static str,
    verify: &'static str,
}

/// As libpq, node-postgres and Prisma write them.
pub(super) const POSTGRES: Dialect = Dialect {
    driver: &[
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "application_name",
        "options",
    ],
    harmless: &[
        "binary",
        // The server does not learn whether the client would go without it.
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "connection_limit",
        "connectionTimeoutMillis",
        "fallback_application_name",
        "idle_in_transaction_session_timeout",
        "idleTimeoutMillis",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "max",
        "max_idle_connection_lifetime",
        "min",
        "pgbouncer",
        "pool_timeout",
        "query_timeout",
        "schema",
        "socket_timeout",
        "statement_cache_size",
        "statement_timeout",
        "tcp_user_timeout",
        "uselibpqcompat",
    ],
    disable: "disable",
    require: "require",
    verify: "verify-full",
};

/// As mysql2, Sequelize and Prisma write them.
pub(super) const MYSQL: Dialect = Dialect {
    driver: &[
        "sslmode", "ssl-mode", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key",
        "socket",
    ],
    harmless: &[
        "bigNumberStrings",
        "charset",
        "collation",
        "connect_timeout",
        "connectTimeout",
        "connection_limit",
        "connectionLimit",
        "dateStrings",
        "decimalNumbers",
        "enableKeepAlive",
        "idleTimeout",
        "keepAliveInitialDelay",
        "maxIdle",
        "max_idle_connection_lifetime",
        "multipleStatements",
        "namedPlaceholders",
        "pool_timeout",
        "queueLimit",
        "socket_timeout",
        "statement_cache_size",
        "supportBigNumbers",
        "timezone",
        "waitForConnections",
    ],
    disable: "DISABLED",
    require: "REQUIRED",
    verify: "VERIFY_IDENTITY",
};

/// Vigie opens the file for reading and creates nothing, whatever these ask for.
const SQLITE: [&str; 5] = [
    "mode",
    "cache",
    "connection_limit",
    "socket_timeout",
    "immutable",
];

/// A longer name is not repeated in an error.
const LONGEST_NAME: usize = 40;

impl Dialect {
    /// The URL with the parameters that the driver applies, in the driver's spelling.
    pub(super) fn translate(&self, url: &Url) -> Result<Url, UrlError> {
        let mut kept = url.clone();
        kept.set_query(None);
        let names_key = url
            .query_pairs()
            .any(|(key, _)| key == "sslkey" || key == "ssl-key");
        for (key, value) in url.query_pairs() {
            let lower = value.to_ascii_lowercase();
            let pair = match (&*key, &*lower) {
                ("ssl", "false" | "0" | "no" | "off") => ("sslmode", self.disable),
                // Anything else is `true`, a profile's name or an object of options: TLS is wanted.
                ("ssl", _) => ("sslmode", self.require),
                ("sslmode" | "ssl-mode", "no-verify") => ("sslmode", self.require),
                ("sslaccept", "strict") => ("sslmode", self.verify),
                ("sslaccept", "accept_invalid_certs") => continue,
                ("target_session_attrs", "any") => continue,
                // It is the password of a key, so without one it has no effect.
                ("sslpassword", _) if !names_key => continue,
                ("gssencmode", "disable" | "prefer") => continue,
                ("socketPath", _) if self.driver.contains(&"socket") => ("socket", &*value),
                (key, _) if self.driver.contains(&key) => (key, &*value),
                (key, _) if self.harmless.contains(&key) => continue,
                ("sslaccept" | "target_session_attrs" | "gssencmode", _) => {
                    return Err(wrong(&key, "has a value that is not supported"));
                }
                _ => return Err(wrong(&key, "is not supported")),
            };
            kept.query_pairs_mut().append_pair(pair.0, pair.1);
        }
        Ok(kept)
    }
}

/// Refuses what could change which SQLite file is read, or how.
pub(super) fn check_sqlite(parameters: &str) -> Result<(), UrlError> {
    let mut names = url::form_urlencoded::parse(parameters.as_bytes()).map(|(name, _)| name);
    match names.find(|name| !SQLITE.contains(&&**name)) {
        Some(name) => Err(wrong(&name, "is not supported")),
        None => Ok(()),
    }
}

fn wrong(name: &str, problem: &'static str) -> UrlError {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = match name.len() <= LONGEST_NAME && name.chars().all(is_word) {
        true => name,
        false => "?",
    };
    UrlError::Detail(format!("the parameter {name} {problem}"))
}
