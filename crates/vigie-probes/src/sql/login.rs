//! The login at the database of an address, and the parts of the address that may be shown.

use std::time::Duration;

use vigie_redis::redact::Secrets;

use super::error::Error;
use super::{mysql, postgres, sqlite};
use crate::address::{self, UrlError};

/// The login, and the parts of the address that may be shown.
pub(super) struct Login {
    engine: Engine,
    /// `postgres db.example:5432/game`
    pub(super) target: String,
    pub(super) secrets: Secrets,
}

enum Engine {
    Postgres(postgres::Login),
    MySql(Box<mysql::Login>),
    Sqlite(sqlite::File),
}

/// A logged-in connection.
pub(super) enum Session {
    Postgres(postgres::Session),
    MySql(mysql::Session),
}

impl Login {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        // Prisma writes `file:`.
        let file = text.strip_prefix("sqlite:");
        if let Some(path) = file.or_else(|| text.strip_prefix("file:")) {
            let file = sqlite::File::parse(path)?;
            return Ok(Self {
                target: format!("sqlite {}", file.name),
                engine: Engine::Sqlite(file),
                secrets: Secrets::default(),
            });
        }
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        if matches!(scheme, "postgres" | "postgresql") || postgres::is_dsn(text) {
            // As in node-postgres.
            let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
            let (login, secrets) = postgres::Login::parse(text, user)?;
            return Ok(Self {
                target: format!("postgres {}/{}", login.places(), login.database),
                engine: Engine::Postgres(login),
                secrets,
            });
        }
        let url = address::parse(text)?;
        if !matches!(url.scheme(), "mysql" | "mariadb") {
            return Err(UrlError::Scheme(
                "postgres://, postgresql://, mysql://, mariadb://, sqlite: or file:, \
                 or be keywords as in host=HOST dbname=NAME user=USER",
            ));
        }
        let (login, secrets) = mysql::Login::parse(&url)?;
        Ok(Self {
            target: format!("mysql {}/{}", login.place, login.database),
            engine: Engine::MySql(Box::new(login)),
            secrets,
        })
    }

    /// Logs in. A file is only read, so there is no session to keep.
    pub(super) async fn connect(&self, deadline: Duration) -> Result<Option<Session>, Error> {
        Ok(Some(match &self.engine {
            Engine::Postgres(login) => Session::Postgres(login.connect(deadline).await?),
            Engine::MySql(login) => Session::MySql(mysql::Session::login(login).await?),
            Engine::Sqlite(file) => {
                file.read_schema(deadline).await?;
                return Ok(None);
            }
        }))
    }
}

impl Session {
    pub(super) async fn ask(&mut self) -> Result<(), Error> {
        match self {
            Self::Postgres(session) => session.ask("SELECT 1").await.map(drop),
            Self::MySql(session) => session.ask().await,
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Postgres(session) => session.close().await,
            Self::MySql(session) => session.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::failure::{Failure, FailureKind};

    fn error(url: &str) -> String {
        Login::parse(url).err().unwrap().to_string()
    }

    #[test]
    fn targets_show_the_place_and_no_secret() {
        for (url, target) in [
            (
                "mysql://u:hunter2@h/game?socketPath=/run/my.sock",
                "mysql /run/my.sock/game",
            ),
            ("mysql://u:hunter2@db/game", "mysql db:3306/game"),
            ("mysql://u@[::1]/game", "mysql ::1:3306/game"),
            (
                "mariadb://u:hunter2@db:3307/game?charset=x",
                "mysql db:3307/game",
            ),
            ("sqlite:data/my%20game.db", "sqlite data/my game.db"),
            ("file:./dev.db?connection_limit=1", "sqlite ./dev.db"),
            (
                "sqlite:///var/game.db?mode=rwc&cache=shared",
                "sqlite /var/game.db",
            ),
            (
                "host=db user=u dbname=game password=hunter2",
                "postgres db:5432/game",
            ),
        ] {
            assert_eq!(Login::parse(url).unwrap().target, target);
        }
    }

    #[test]
    fn bad_addresses_are_named_without_their_secrets() {
        for url in [
            "postgres://u:hunter2@h:port/d",
            "hunter2",
            "hunter2://h",
            "mongodb://u:hunter2@h/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "mysql://u:hunter2@h/d?sslmode=hunter2",
            "mysql://u:hunter2@h/d?ssl=hunter2",
            "postgres://u@h/d?password=hunter2&sslmode=hunter2",
            "host=h user=u password='hunter2",
            "host=h user=u password=hunter2 more",
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
            "file::memory:?cache=shared",
        ] {
            assert_eq!(Login::parse(memory).err(), Some(UrlError::InMemory));
        }
        assert_eq!(error("sqlite:"), "the URL names no file");
        assert_eq!(
            error("sqlite:x.db?key=hunter2"),
            "the parameter key is not supported"
        );
    }

    #[test]
    fn secrets_are_masked_in_every_encoding() {
        for url in ["mysql://u:hu%2Fnter@h/d", "postgres://u:hu%2Fnter@h/d"] {
            let login = Login::parse(url).unwrap();
            let failure = Failure::new(FailureKind::Other, "hu%2Fnter or hu/nter");
            assert_eq!(failure.without(&login.secrets).text(), "*** or ***");
        }
    }
}
