//! PostgreSQL: addresses in the formats of libpq, node-postgres and Prisma, and the login.

mod dsn;
mod keywords;
mod login;
mod scram;
mod session;
mod tls;
mod uri;
mod wire;

use std::time::Duration;

use tokio::time::timeout;

pub(super) use dsn::is_dsn;
pub(super) use login::Login;
use login::{Server, Wanted};
pub(super) use session::Session;

use super::error::Error;

impl Login {
    /// Connects to the first server that accepts the login and has the requested kind. All but the last get a share of
    /// the time.
    pub(super) async fn connect(&self, deadline: Duration) -> Result<Session, Error> {
        let passes = self.wanted.passes();
        let turns = self.servers.len() * passes.len();
        let share = deadline / u32::try_from(turns).unwrap_or(u32::MAX).max(1);
        let mut last = Error::protocol("the address names no server");
        for turn in 0..turns {
            let wanted = passes[turn / self.servers.len()];
            let connecting = self.connect_to(&self.servers[turn % self.servers.len()], wanted);
            let connected = match turn + 1 == turns {
                true => connecting.await,
                false => match timeout(share, connecting).await {
                    Ok(connected) => connected,
                    Err(_) => continue,
                },
            };
            match connected {
                Ok(session) => return Ok(session),
                // As in libpq, after a refused login no other server is tried.
                Err(error) if error.is_denial() => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(&self, server: &Server, wanted: Wanted) -> Result<Session, Error> {
        let mut session = Session::login(server, self).await?;
        let Some((question, answer, otherwise)) = wanted.question() else {
            return Ok(session);
        };
        match session.ask(question).await?.as_deref() == Some(answer) {
            true => Ok(session),
            false => {
                session.close().await;
                Err(Error::Unsuitable(otherwise))
            }
        }
    }
}
