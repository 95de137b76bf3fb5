//! `PING` to one server.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError};
use tokio::time::Instant;
use vigie_redis::{Endpoint, Error};

/// Sends `PING` over a persistent connection.
#[derive(Default)]
pub(crate) struct Ping {
    kept: Option<(MultiplexedConnection, Instant)>,
}

impl Ping {
    pub(crate) async fn run(
        &mut self,
        endpoint: &Endpoint,
        deadline: Duration,
        relogin_every: Duration,
    ) -> Result<(), Error> {
        // Taken out: if this run is dropped before it completes, so is the connection.
        let kept = self.kept.take();
        if let Some((mut connection, since)) = kept
            && since.elapsed() < relogin_every
        {
            connection.set_response_timeout(deadline);
            match ask(&mut connection).await {
                Ok(()) => {
                    self.kept = Some((connection, since));
                    return Ok(());
                }
                // The server replied with an error; a new connection would not help.
                Err(error) if error.code().is_some() => return Err(Error::Redis(error)),
                Err(_) => {}
            }
        }
        let mut connection = endpoint.connect(deadline).await?;
        ask(&mut connection).await.map_err(Error::Redis)?;
        self.kept = Some((connection, Instant::now()));
        Ok(())
    }
}

async fn ask(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let answer: String = redis::cmd("PING").query_async(connection).await?;
    if answer == "PONG" {
        return Ok(());
    }
    Err((ErrorKind::Parse, "PING was not answered with PONG").into())
}
