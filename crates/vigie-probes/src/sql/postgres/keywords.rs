//! The keywords and values that both forms of an address are parsed into.

use crate::address::UrlError;
use crate::sql::parameters::wrong;
use vigie_redis::redact::Secrets;

/// Keywords that are applied.
const APPLIED: [&str; 22] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "sslmode",
    "ssl",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslidentity",
    "sslaccept",
    "channel_binding",
    "target_session_attrs",
    // They refer to a configuration that cannot be read from here.
    "service",
    "servicefile",
    "passfile",
    "requirepeer",
];

/// Client settings (libpq, node-postgres, Prisma) that change neither the server nor the login.
const HARMLESS: [&str; 33] = [
    "binary",
    "client_encoding",
    "connect_timeout",
    "connection_limit",
    "connectionTimeoutMillis",
    "encoding",
    "fallback_application_name",
    "gssdelegation",
    "gsslib",
    "idle_in_transaction_session_timeout",
    "idleTimeoutMillis",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max",
    "max_idle_connection_lifetime",
    "min",
    "pgbouncer",
    "pool_timeout",
    "query_timeout",
    "schema",
    "socket_timeout",
    "sslcompression",
    "statement-cache-capacity",
    "statement_cache_size",
    "statement_timeout",
    "lock_timeout",
    "tcp_user_timeout",
    "uselibpqcompat",
    "single_use_connections",
];

/// Keywords of which only the listed values, which match Vigie's behaviour, are accepted.
const LIMITED: [(&str, &[&str]); 7] = [
    ("gssencmode", &["disable", "prefer"]),
    ("replication", &["false", "0", "off", "no"]),
    ("requiressl", &["0"]),
    ("sslcertmode", &["allow", "disable"]),
    ("sslnegotiation", &["postgres"]),
    ("sslsni", &["1"]),
    ("ssl_min_protocol_version", &["TLSv1", "TLSv1.1", "TLSv1.2"]),
];

/// Alternative spellings.
const ALIASES: [(&str, &str); 5] = [
    ("ssl-mode", "sslmode"),
    ("ssl-ca", "sslrootcert"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-cert", "sslcert"),
    ("ssl-key", "sslkey"),
];

/// Keywords and their values, each keyword once.
#[derive(Default)]
pub(super) struct Keywords {
    all: Vec<(String, String)>,
    pub(super) secrets: Secrets,
}

impl Keywords {
    /// Sets a value; the last one wins.
    pub(super) fn set(&mut self, key: &str, value: String) {
        if matches!(key, "password" | "sslpassword") {
            self.secrets.add(&value);
        }
        let alias = ALIASES.iter().find(|(alias, _)| *alias == key);
        let key = alias.map_or(key, |(_, key)| key);
        match self.all.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => self.all.push((key.to_owned(), value)),
        }
    }

    /// The value of a keyword, if it is not empty.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.all.iter().find(|(known, _)| known == key);
        let value = found.map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// The values of a list.
    pub(super) fn list(&self, key: &str) -> Vec<&str> {
        let value = self.get(key);
        value
            .map(|value| value.split(',').collect())
            .unwrap_or_default()
    }

    /// Rejects keywords that are neither applied nor known to be harmless.
    pub(super) fn check(&self) -> Result<(), UrlError> {
        for (key, value) in &self.all {
            let key = key.as_str();
            let limited = LIMITED.iter().find(|(limited, _)| *limited == key);
            match limited {
                Some((_, accepted)) if accepted.contains(&value.as_str()) => {}
                Some(_) => return Err(wrong(key, "has a value that is not supported")),
                None if APPLIED.contains(&key) || HARMLESS.contains(&key) => {}
                None => return Err(wrong(key, "is not supported")),
            }
        }
        for unread in ["service", "servicefile", "passfile"] {
            if self.get(unread).is_some() {
                let problem = "is not supported: Vigie reads no service or password file of libpq, \
                               so host, user and password must stand in the address";
                return Err(wrong(unread, problem));
            }
        }
        match self.get("requirepeer") {
            Some(_) => Err(wrong("requirepeer", "is not supported")),
            None => Ok(()),
        }
    }
}
