//! The login at MySQL.

use url::Url;

use super::tls;
use crate::address::{UrlError, decode};
use crate::sql::parameters::wrong;
use crate::sql::stream::Place;
use crate::sql::tls::Policy;
use vigie_redis::redact::Secrets;

const PORT: u16 = 3306;

/// Client settings (mysql2, Sequelize, Prisma) that change neither the server nor the login.
const HARMLESS: [&str; 26] = [
    "bigNumberStrings",
    "charset",
    "collation",
    "compress",
    "connect_timeout",
    "connectTimeout",
    "connection_limit",
    "connectionLimit",
    "dateStrings",
    "debug",
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
    "rowsAsArray",
    "socket_timeout",
    "statement_cache_size",
    "supportBigNumbers",
    "timezone",
    "waitForConnections",
];

/// The login.
pub(crate) struct Login {
    pub(crate) place: Place,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(crate) database: String,
    pub(super) tls: Policy,
}

impl Login {
    /// Parses an address, and collects its secrets.
    pub(crate) fn parse(url: &Url) -> Result<(Self, Secrets), UrlError> {
        let mut secrets = Secrets::default();
        if let Some(password) = url.password() {
            secrets.add(password);
            secrets.add(&decode(password));
        }
        let (mut socket, mut words) = (None, tls::Words::default());
        for (key, value) in url.query_pairs() {
            match &*key {
                "socket" | "socketPath" => socket = Some(value.into_owned()),
                key if words.take(key, &value) => {}
                key if HARMLESS.contains(&key) => {}
                key => return Err(wrong(key, "is not supported")),
            }
        }
        let place = match socket {
            Some(socket) => Place::Socket {
                path: socket.clone().into(),
                shown: socket,
            },
            None => Place::Tcp {
                host: host(url),
                address: None,
                port: url.port().unwrap_or(PORT),
            },
        };
        let login = Self {
            place,
            user: decode(url.username()),
            password: url.password().map(decode).filter(|word| !word.is_empty()),
            database: decode(url.path().trim_start_matches('/')),
            tls: words.policy()?,
        };
        Ok((login, secrets))
    }
}

fn host(url: &Url) -> String {
    let host = url.host_str().filter(|host| !host.is_empty());
    decode(host.unwrap_or("localhost").trim_matches(['[', ']']))
}

#[cfg(test)]
mod tests;
