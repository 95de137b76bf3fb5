//! The check of a SQL database.

mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod login;
mod mysql;
mod parameters;
mod postgres;
mod sqlite;
mod stream;
mod tls;

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::address::UrlError;
use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::Failure;
use error::Error;
use login::{Login, Session};

/// The default period of new logins, which detect a changed password.
pub(crate) const RELOGIN_EVERY: Duration = Duration::from_secs(60);
/// The time for closing a connection in order; some servers log a warning otherwise.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);

/// Logs in at PostgreSQL, MySQL or MariaDB and runs `SELECT 1` on a persistent connection; or reads the schema of a
/// SQLite file, which is opened for each run and never created.
pub struct Sql {
    name: String,
    login: Login,
    relogin_every: Duration,
    kept: Option<(Session, Instant)>,
}

impl Sql {
    /// A check of the database at a `postgres://`, `postgresql://`, `mysql://`, `mariadb://` or `sqlite:` URL, or of
    /// libpq's keywords, as in `host=db user=app dbname=app`.
    ///
    /// # Errors
    /// If the address cannot be parsed, or has a parameter that is neither applied nor known to be harmless.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            name: name.into(),
            login: Login::parse(url)?,
            relogin_every: RELOGIN_EVERY,
            kept: None,
        })
    }

    /// Sets the period after which a new login is made even if the connection still works; 60 s by default.
    #[must_use]
    pub fn relogin_every(mut self, every: Duration) -> Self {
        self.relogin_every = every;
        self
    }

    async fn authenticate(&mut self, deadline: Duration) -> Result<(), Error> {
        // Taken out: if this run is dropped before it completes, so is the connection.
        if let Some((mut session, since)) = self.kept.take() {
            if since.elapsed() >= self.relogin_every {
                let _ = timeout(CLOSE_TIMEOUT, session.close()).await;
            } else if session.ask().await.is_ok() {
                self.kept = Some((session, since));
                return Ok(());
            }
        }
        if let Some(mut session) = self.login.connect(deadline).await? {
            session.ask().await?;
            self.kept = Some((session, Instant::now()));
        }
        Ok(())
    }

    fn failure(&self, error: &Error) -> Failure {
        error
            .failure(&self.login.target)
            .without(&self.login.secrets)
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
            outcome.map_err(|error| self.failure(&error))
        })
    }
}
