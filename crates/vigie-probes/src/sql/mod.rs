//! Authentication at a SQL database.

mod hosts;
mod login;
mod parameters;

use std::time::Duration;

use sqlx::mysql::{MySqlConnection, MySqlDatabaseError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::{Instant, timeout};
use vigie_redis::TlsProblem;

use crate::address::UrlError;
use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind, io_failure};
use login::{Login, Options};

/// How often a new login is made though the old one still works: only that notices a changed password.
pub(crate) const RELOGIN_EVERY: Duration = Duration::from_secs(60);
/// How long a server gets to see us off: some log a warning when a client goes without a word.
const FAREWELL: Duration = Duration::from_millis(250);

/// Logs in at PostgreSQL, MySQL or MariaDB and asks `SELECT 1` on a connection that is kept; reads the
/// schema of a SQLite file, which is opened anew each time and never created.
pub struct Sql {
    name: String,
    login: Login,
    relogin_every: Duration,
    kept: Option<(Connection, Instant)>,
}

enum Connection {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Sql {
    /// A check of the database at a `postgres://`, `postgresql://`, `mysql://`, `mariadb://` or `sqlite:` URL.
    ///
    /// # Errors
    /// When the URL makes no sense.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            name: name.into(),
            login: Login::parse(url)?,
            relogin_every: RELOGIN_EVERY,
            kept: None,
        })
    }

    /// Sets how often a new login is made though the old one still works; 60 s if this is not called.
    #[must_use]
    pub fn relogin_every(mut self, every: Duration) -> Self {
        self.relogin_every = every;
        self
    }

    async fn authenticate(&mut self, deadline: Duration) -> Result<(), sqlx::Error> {
        if let Options::Sqlite(options) = &self.login.options {
            return read_schema(options, deadline).await;
        }
        // Taken out: if this run is dropped half-way, so is the connection.
        if let Some((mut connection, since)) = self.kept.take() {
            if since.elapsed() >= self.relogin_every {
                connection.close().await;
            } else if connection.ask().await.is_ok() {
                self.kept = Some((connection, since));
                return Ok(());
            }
        }
        let mut connection = self.connect(deadline).await?;
        connection.ask().await?;
        self.kept = Some((connection, Instant::now()));
        Ok(())
    }

    async fn connect(&self, deadline: Duration) -> Result<Connection, sqlx::Error> {
        match &self.login.options {
            Options::Postgres(hosts) => first_of(hosts, deadline).await.map(Connection::Postgres),
            Options::MySql(options) => options.connect().await.map(Connection::MySql),
            Options::Sqlite(_) => Err(sqlx::Error::WorkerCrashed),
        }
    }

    fn failure(&self, error: sqlx::Error) -> Failure {
        let target = &self.login.target;
        let told = |kind, text: &str| Failure::new(kind, format_args!("{target}: {text}"));
        let failure = match error {
            sqlx::Error::Io(error) => io_failure(target, &error),
            sqlx::Error::Tls(error) => {
                let text = error.to_string();
                let text = TlsProblem::in_text(&text).map_or(text, |problem| problem.to_string());
                told(FailureKind::Tls, &format!("TLS: {text}"))
            }
            sqlx::Error::Database(error) => told(kind(&*error), error.message()),
            sqlx::Error::Protocol(text) => {
                // The driver adds where in itself it stumbled.
                let text = text.split(" (sqlx_").next().unwrap_or_default();
                told(FailureKind::Protocol, &format!("not understood: {text}"))
            }
            error => told(FailureKind::Other, &error.to_string()),
        };
        failure.without(&self.login.secrets)
    }
}

impl Check for Sql {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> String {
        self.login.target.clone()
    }

    fn run(&mut self, deadline: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let outcome = self.authenticate(deadline).await;
            outcome.map_err(|error| self.failure(error))
        })
    }
}

impl Connection {
    /// By the simple protocol, which transaction poolers carry.
    async fn ask(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => sqlx::raw_sql("SELECT 1")
                .execute(connection)
                .await
                .map(drop),
            Self::MySql(connection) => sqlx::raw_sql("SELECT 1")
                .execute(connection)
                .await
                .map(drop),
        }
    }

    async fn close(self) {
        let closed = async {
            match self {
                Self::Postgres(connection) => connection.close().await,
                Self::MySql(connection) => connection.close().await,
            }
        };
        let _ = timeout(FAREWELL, closed).await;
    }
}

/// Connects to the first host that lets us in. Each but the last has its share of the time.
async fn first_of(
    hosts: &[PgConnectOptions],
    deadline: Duration,
) -> Result<PgConnection, sqlx::Error> {
    let share = deadline / u32::try_from(hosts.len()).unwrap_or(u32::MAX).max(1);
    let Some((last, others)) = hosts.split_last() else {
        return Err(sqlx::Error::WorkerCrashed);
    };
    for options in others {
        if let Ok(Ok(connection)) = timeout(share, options.connect()).await {
            return Ok(connection);
        }
    }
    last.connect().await
}

/// Reads what cannot be answered without the file: `SELECT 1` could be.
async fn read_schema(
    options: &SqliteConnectOptions,
    deadline: Duration,
) -> Result<(), sqlx::Error> {
    let mut connection = options.clone().busy_timeout(deadline).connect().await?;
    let read = sqlx::raw_sql("SELECT count(*) FROM sqlite_master");
    let outcome = read.execute(&mut connection).await.map(drop);
    let _ = timeout(FAREWELL, connection.close()).await;
    outcome
}

fn kind(error: &(dyn sqlx::error::DatabaseError + 'static)) -> FailureKind {
    use FailureKind::{Denied, Full, NotReady, Other, Protocol, Unreachable};
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return match error.number() {
            1044 | 1045 | 1049 | 1129 | 1130 | 1142 | 1698 => Denied,
            1040 | 1203 | 1226 => Full,
            1053 => NotReady,
            _ => Other,
        };
    }
    let code = error.code().unwrap_or_default();
    if error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
    {
        // The low byte is the primary code: busy, locked, cannot open, not a database.
        return match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => NotReady,
            Ok(14) => Unreachable,
            Ok(26) => Protocol,
            _ => Other,
        };
    }
    match &*code {
        "3D000" | "42501" => Denied,
        "53300" => Full,
        code if code.starts_with("28") => Denied,
        code if code.starts_with("57P") => NotReady,
        _ => Other,
    }
}
