//! What a database URL says, as the drivers want it.

use sqlx::ConnectOptions;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;
use vigie_redis::redact::Secrets;

use crate::address::{self, UrlError};
use crate::failure::{Failure, FailureKind};

use super::hosts;
use super::parameters::{self, MYSQL, POSTGRES};

/// How to log in, and what may be told of it.
pub(super) struct Login {
    pub(super) options: Options,
    /// `postgres db.example:5432/game`
    pub(super) target: String,
    pub(super) secrets: Secrets,
}

pub(super) enum Options {
    /// One for each host, in the order in which they are tried; at least one.
    Postgres(Vec<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl Login {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let url = url.trim();
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite(path);
        }
        let text = url;
        let urls = match text.split_once(':').map_or("", |(scheme, _)| scheme) {
            "postgres" | "postgresql" => hosts::each(text)?,
            _ => vec![address::parse(text)?],
        };
        let Some(url) = urls.first() else {
            return Err(UrlError::Detail("the URL names no host".into()));
        };
        let mut secrets = Secrets::default();
        for (key, value) in url.query_pairs() {
            if key == "password" {
                secrets.add(&value);
            }
        }
        if let Some(password) = url.password() {
            secrets.add(password);
            secrets.add(&decode(password));
        }
        match url.scheme() {
            "postgres" | "postgresql" => postgres(&urls, secrets),
            "mysql" | "mariadb" => mysql(url, secrets),
            _ => Err(UrlError::Scheme(
                "postgres://, postgresql://, mysql://, mariadb:// or sqlite:",
            )),
        }
    }
}

fn postgres(urls: &[Url], secrets: Secrets) -> Result<Login, UrlError> {
    let mut all = Vec::with_capacity(urls.len());
    for url in urls {
        all.push(postgres_at(url, &secrets)?);
    }
    let places: Vec<_> = all.iter().map(|(_, place)| place.as_str()).collect();
    let target = format!("postgres {}", places.join(","));
    let options: Vec<_> = all.into_iter().map(|(options, _)| options).collect();
    let database = options.first().map_or("", |options| {
        options.get_database().unwrap_or(options.get_username())
    });
    Ok(Login {
        target: format!("{target}/{database}"),
        options: Options::Postgres(options),
        secrets,
    })
}

/// How to log in at one host, and its name for people.
fn postgres_at(url: &Url, secrets: &Secrets) -> Result<(PgConnectOptions, String), UrlError> {
    let known = POSTGRES.translate(url)?;
    let mut options =
        PgConnectOptions::from_url(&known).map_err(|error| detail(&error, secrets))?;
    if let Some(host) = bare_ipv6(options.get_host()) {
        options = options.host(&host);
    }
    if options.get_application_name().is_none() {
        options = options.application_name("vigie");
    }
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    // Poolers refuse start-up parameters that they do not know.
    let options = options.extra_float_digits(None).disable_statement_logging();
    Ok((options, place))
}

fn mysql(url: &Url, secrets: Secrets) -> Result<Login, UrlError> {
    let known = MYSQL.translate(url)?;
    let mut options =
        MySqlConnectOptions::from_url(&known).map_err(|error| detail(&error, &secrets))?;
    if let Some(host) = bare_ipv6(options.get_host()) {
        options = options.host(&host);
    }
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let database = options.get_database().unwrap_or_default();
    Ok(Login {
        target: format!("mysql {place}/{database}"),
        // A login and nothing else: no `SET` that a proxy or an old server might refuse.
        options: Options::MySql(Box::new(
            options
                .pipes_as_concat(false)
                .no_engine_substitution(false)
                .timezone(None)
                .set_names(false)
                .disable_statement_logging(),
        )),
        secrets,
    })
}

fn sqlite(path: &str) -> Result<Login, UrlError> {
    let (path, parameters) = path.split_once('?').unwrap_or((path, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    let in_memory = url::form_urlencoded::parse(parameters.as_bytes())
        .any(|(key, value)| key == "mode" && value == "memory");
    if in_memory || path == ":memory:" {
        return Err(UrlError::InMemory);
    }
    if path.is_empty() {
        return Err(UrlError::Detail("the URL names no file".into()));
    }
    parameters::check_sqlite(parameters)?;
    let file = decode(path);
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(false)
        .read_only(true)
        .disable_statement_logging();
    Ok(Login {
        target: format!("sqlite {file}"),
        options: Options::Sqlite(Box::new(options)),
        secrets: Secrets::default(),
    })
}

fn detail(error: &sqlx::Error, secrets: &Secrets) -> UrlError {
    let text = match error {
        sqlx::Error::Configuration(error) => error.to_string(),
        error => error.to_string(),
    };
    let failure = Failure::new(FailureKind::Other, text).without(secrets);
    UrlError::Detail(failure.text().to_owned())
}

/// `::1` of `[::1]`: the drivers hand the host to the resolver as it is.
fn bare_ipv6(host: &str) -> Option<String> {
    let inner = host.strip_prefix('[')?.strip_suffix(']')?;
    Some(inner.to_owned())
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sqlx::mysql::MySqlSslMode;
    use sqlx::postgres::PgSslMode;

    fn error(url: &str) -> String {
        Login::parse(url).err().unwrap().to_string()
    }

    fn pg(url: &str) -> PgConnectOptions {
        match Login::parse(url).unwrap().options {
            Options::Postgres(options) => options.into_iter().next().unwrap(),
            _ => panic!("not PostgreSQL"),
        }
    }

    fn my(url: &str) -> MySqlConnectOptions {
        match Login::parse(url).unwrap().options {
            Options::MySql(options) => *options,
            _ => panic!("not MySQL"),
        }
    }

    #[test]
    fn targets_tell_where_and_no_secret() {
        for (url, target) in [
            ("postgres://u:hunter2@db:5433/game", "postgres db:5433/game"),
            ("postgresql://u@db", "postgres db:5432/u"),
            ("postgres://u:hunter2@[::1]/game", "postgres ::1:5432/game"),
            ("postgres://u@%2Frun%2Fpg/game", "postgres /run/pg/game"),
            (
                "postgresql://u:hunter2@/game?host=/cloudsql/a:b:c",
                "postgres /cloudsql/a:b:c/game",
            ),
            ("postgresql:///game?host=db&user=u", "postgres db:5432/game"),
            (
                "postgres://u:hunter2@a:1,[::1],c/game",
                "postgres a:1,::1:5432,c:5432/game",
            ),
            (
                "postgres://u:hunter2@/game?host=a,b&port=1,2",
                "postgres a:1,b:2/game",
            ),
            (
                "postgres://u:hunter2@/game?host=a,/run&port=7",
                "postgres a:7,/run/game",
            ),
            (
                "mysql://u:hunter2@h/game?socketPath=/run/my.sock",
                "mysql /run/my.sock/game",
            ),
            ("mysql://u:hunter2@db/game", "mysql db:3306/game"),
            (
                "mariadb://u:hunter2@db:3307/game?charset=x",
                "mysql db:3307/game",
            ),
            ("sqlite:data/my%20game.db", "sqlite data/my game.db"),
            (
                "sqlite:///var/game.db?mode=rwc&cache=shared",
                "sqlite /var/game.db",
            ),
        ] {
            assert_eq!(Login::parse(url).unwrap().target, target);
        }
    }

    #[test]
    fn tls_is_understood_in_the_spellings_of_node() {
        use PgSslMode as Pg;
        for (query, mode) in [
            ("", Pg::Prefer),
            ("ssl=true", Pg::Require),
            ("ssl=0", Pg::Disable),
        ] {
            let found = pg(&format!("postgres://u@h/d?{query}")).get_ssl_mode();
            assert_eq!(format!("{found:?}"), format!("{mode:?}"));
        }
        for (query, mode) in [
            ("sslmode=no-verify", Pg::Require),
            ("sslmode=verify-full", Pg::VerifyFull),
            ("schema=x&connection_limit=5&sslmode=disable", Pg::Disable),
        ] {
            let found = pg(&format!("postgres://u@h/d?{query}")).get_ssl_mode();
            assert_eq!(format!("{found:?}"), format!("{mode:?}"));
        }
        for (query, mode) in [
            ("", MySqlSslMode::Preferred),
            (
                "ssl=%7B%22rejectUnauthorized%22%3Atrue%7D",
                MySqlSslMode::Required,
            ),
            ("ssl-mode=VERIFY_CA", MySqlSslMode::VerifyCa),
            ("ssl=false", MySqlSslMode::Disabled),
        ] {
            let found = my(&format!("mysql://u@h/d?{query}")).get_ssl_mode();
            assert_eq!(format!("{found:?}"), format!("{mode:?}"));
        }
    }

    #[test]
    fn parameters_of_other_clients() {
        for (url, expected) in [
            ("postgres://u@h/d?sslcrl=hunter2", "sslcrl is not supported"),
            (
                "postgres://u@h/d?target_session_attrs=primary",
                "target_session_attrs has a value that is not supported",
            ),
            ("postgres://u@h/d?a%20b=1", "? is not supported"),
            (
                "postgres://u@h/d?sslkey=/k&sslpassword=hunter2",
                "sslpassword is not supported",
            ),
            ("mysql://u@h/d?flags=-SSL", "flags is not supported"),
            ("mysql://u@h/d?schema=x", "schema is not supported"),
            ("sqlite:x.db?key=hunter2", "key is not supported"),
        ] {
            assert_eq!(error(url), format!("the parameter {expected}"), "{url}");
        }
        let prisma = "schema=public&connection_limit=5&pgbouncer=true&pool_timeout=9";
        let options = pg(&format!("postgres://u@h/d?{prisma}&sslaccept=strict"));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull));
        let options = pg("postgres://u@h/d?options=-c%20search_path%3Dx&target_session_attrs=any");
        assert_eq!(options.get_options(), Some("-c search_path=x"));
        let options = my("mysql://u@h/d?sslaccept=strict&connectionLimit=5");
        assert!(matches!(
            options.get_ssl_mode(),
            MySqlSslMode::VerifyIdentity
        ));
    }

    #[test]
    fn bad_urls_are_named_without_their_secrets() {
        for url in [
            "postgres://u:hunter2@h:port/d",
            "hunter2",
            "hunter2://h",
            "mongodb://u:hunter2@h/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "mysql://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u@h/d?password=hunter2&sslmode=hunter2",
        ] {
            let text = error(url);
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert!(error("mongodb://h").contains("mariadb://"));
        assert!(error("postgres://u:a/b@h/d").contains("percent-encoded"));
        for memory in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:x?mode=memory",
        ] {
            assert_eq!(Login::parse(memory).err(), Some(UrlError::InMemory));
        }
        assert_eq!(error("sqlite:"), "the URL names no file");
    }

    #[test]
    fn secrets_are_known_in_every_spelling() {
        let login = Login::parse("mysql://u:hu%2Fnter@h/d").unwrap();
        let told = Failure::new(FailureKind::Other, "hu%2Fnter or hu/nter");
        assert_eq!(told.without(&login.secrets).text(), "*** or ***");
        assert_eq!(decode("a%2fb%zz%4"), "a/b%zz%4");
    }
}
