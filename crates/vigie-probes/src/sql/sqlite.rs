//! A SQLite file.

use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::timeout;

use super::error::Error;
use super::{CLOSE_TIMEOUT, parameters};
use crate::address::{self, UrlError};

/// A file that is opened for each run, read-only.
pub(super) struct File {
    options: SqliteConnectOptions,
    pub(super) name: String,
}

impl File {
    /// Parses the text after `sqlite:`.
    pub(super) fn parse(path: &str) -> Result<Self, UrlError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.strip_prefix("//").unwrap_or(path);
        let in_memory = url::form_urlencoded::parse(query.as_bytes())
            .any(|(key, value)| key == "mode" && value == "memory");
        if in_memory || path == ":memory:" {
            return Err(UrlError::InMemory);
        }
        if path.is_empty() {
            return Err(UrlError::Detail("the URL names no file".into()));
        }
        parameters::check_sqlite(query)?;
        let name = address::decode(path);
        let options = SqliteConnectOptions::new()
            .filename(&name)
            .create_if_missing(false)
            .read_only(true)
            .disable_statement_logging();
        Ok(Self { options, name })
    }

    /// Runs a query that needs the file; `SELECT 1` does not.
    pub(super) async fn read_schema(&self, deadline: Duration) -> Result<(), Error> {
        let options = self.options.clone().busy_timeout(deadline);
        let mut connection = options.connect().await.map_err(Error::Sqlite)?;
        let read = sqlx::raw_sql("SELECT count(*) FROM sqlite_master");
        let outcome = read.execute(&mut connection).await.map(drop);
        let _ = timeout(CLOSE_TIMEOUT, connection.close()).await;
        outcome.map_err(Error::Sqlite)
    }
}
