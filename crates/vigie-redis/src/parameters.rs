//! The parameters of an address, after its `?`: each is applied, known to be harmless, or an error.

use redis::{ConnectionInfo, RedisConnectionInfo};
use url::Url;

use crate::error::UrlError;

/// Client settings (ioredis, node-redis, redis-py) that change neither the server nor the login.
const HARMLESS: [&str; 22] = [
    "client_name",
    "commandTimeout",
    "connectTimeout",
    "connectionName",
    "decode_responses",
    "disconnectTimeout",
    "enableOfflineQueue",
    "enableReadyCheck",
    "encoding",
    "encoding_errors",
    "health_check_interval",
    "keepAlive",
    "lazyConnect",
    "maxRetriesPerRequest",
    "max_connections",
    "noDelay",
    "retry_on_timeout",
    "showFriendlyErrorStack",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_timeout",
    "timeout",
];

/// Longer names are not quoted in an error.
const LONGEST_NAME: usize = 40;

/// Applies the parameters of `url` to `info`, and returns whether one of them specifies a database.
///
/// If clients disagree about a parameter that contradicts the rest of the address, it is an error.
pub(crate) fn apply(url: &Url, info: ConnectionInfo) -> Result<(ConnectionInfo, bool), UrlError> {
    let mut settings = info.redis_settings().clone();
    let is_socket = matches!(url.scheme(), "unix" | "redis+unix");
    let in_path = match is_socket {
        true => None,
        false => Some(url.path().trim_matches('/')).filter(|path| !path.is_empty()),
    };
    let mut names_database = in_path.is_some();
    // The driver has parsed the path and the user information, and for a socket some of the parameters.
    let mut database = in_path.map(|_| settings.db());
    let in_authority = |name: &str| !is_socket && !name.is_empty();
    let mut username =
        Some(settings.username().unwrap_or_default().to_owned()).filter(|name| in_authority(name));
    let mut password = Some(settings.password().unwrap_or_default().to_owned())
        .filter(|password| in_authority(password));
    for (name, value) in url.query_pairs() {
        match &*name {
            "db" => {
                let number: u16 = value.parse().map_err(|_| wrong("db", "must be a number"))?;
                set(&mut database, i64::from(number), "db")?;
                names_database = true;
            }
            "user" | "username" => set(&mut username, value.into_owned(), "username")?,
            "pass" | "password" => set(&mut password, value.into_owned(), "password")?,
            // Validated by the driver.
            "protocol" => {}
            "tls" | "ssl" => {
                let over_tls = url.scheme() == "rediss";
                match &*value {
                    "true" | "1" if over_tls => {}
                    "false" | "0" if !over_tls => {}
                    _ => return Err(wrong(&name, "is not supported: TLS is chosen by rediss://")),
                }
            }
            "family" if value == "0" => {}
            "family" => {
                return Err(wrong(
                    "family",
                    "is not supported: use an IP address as host",
                ));
            }
            known if HARMLESS.contains(&known) => {}
            unknown => return Err(wrong(unknown, "is unknown")),
        }
    }
    settings = with(settings, database, username, password);
    Ok((info.set_redis_settings(settings), names_database))
}

fn with(
    mut settings: RedisConnectionInfo,
    database: Option<i64>,
    username: Option<String>,
    password: Option<String>,
) -> RedisConnectionInfo {
    if let Some(database) = database {
        settings = settings.set_db(database);
    }
    // An empty name means the default user: `AUTH password`.
    if let Some(username) = username.filter(|name| !name.is_empty()) {
        settings = settings.set_username(username);
    }
    if let Some(password) = password {
        settings = settings.set_password(password);
    }
    settings
}

fn set<T: PartialEq>(slot: &mut Option<T>, value: T, name: &str) -> Result<(), UrlError> {
    match slot {
        Some(known) if *known != value => {
            Err(wrong(name, "contradicts another part of the address"))
        }
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

fn wrong(name: &str, problem: &'static str) -> UrlError {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = match name.len() <= LONGEST_NAME && name.chars().all(is_word) {
        true => name.to_owned(),
        false => "?".to_owned(),
    };
    UrlError::Parameter { name, problem }
}
