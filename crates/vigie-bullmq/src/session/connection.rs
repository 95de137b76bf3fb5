//! A connection with a deadline for each command.
//!
//! It does not reconnect automatically: after an error, a task drops it and opens another, and thus notices the gap. A
//! refused command or an unexpected reply is not a connection error.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use tokio::time::timeout;
use vigie_redis::Endpoint;

use crate::error::Error;
use crate::protocol::errors::is_moved;
use crate::session::refusals::{Refusals, UNUSABLE};

#[derive(Clone)]
pub(crate) struct Connection {
    inner: MultiplexedConnection,
    deadline: Duration,
    refusals: Arc<Refusals>,
    /// Whether the server replied that something permanently moved to another node.
    moved: bool,
}

impl Connection {
    pub(crate) async fn open(
        endpoint: &Endpoint,
        deadline: Duration,
        refusals: &Arc<Refusals>,
    ) -> Result<Self, Error> {
        let connection = endpoint.connect(deadline).await;
        Ok(Self {
            inner: connection.map_err(Error::Connect)?,
            deadline,
            refusals: Arc::clone(refusals),
            moved: false,
        })
    }

    /// Merges the state of a clone that uses the same connection.
    pub(crate) fn join(&mut self, other: &Self) {
        self.moved |= other.moved;
    }

    /// Sends one command. An error reply or a reply of an unexpected type is recorded in the refusals.
    ///
    /// # Errors
    ///
    /// As [`Connection::ask_all`].
    pub(crate) async fn ask(&mut self, what: &'static str, command: Cmd) -> Result<Value, Error> {
        let mut pipeline = redis::pipe();
        pipeline.add_command(command);
        let reply = self.ask_all(what, &pipeline).await?.pop();
        Ok(reply.unwrap_or(UNUSABLE))
    }

    /// Sends commands in one round trip, and returns one reply per command. Errors of single commands and replies of an
    /// unexpected type are recorded in the refusals.
    ///
    /// # Errors
    ///
    /// If the connection breaks, the replies are late, or the server currently rejects all commands.
    pub(crate) async fn ask_all(
        &mut self,
        what: &'static str,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Error> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.inner.send_packed_commands(pipeline, 0, pipeline.len());
        let answers = within(what, self.deadline, answers).await?;
        let mut answers = answers.map_err(|source| Error::Redis { what, source })?;
        if answers.len() != pipeline.len() {
            return Err(Error::Answer { what });
        }
        self.moved |= answers.iter().any(is_moved);
        self.refusals.review(what, pipeline, &mut answers)?;
        Ok(answers)
    }

    /// The commands that the node refuses.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Whether the server replied since the last call that something moved to another node.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }
}

async fn within<T>(
    what: &'static str,
    within: Duration,
    answer: impl Future<Output = T>,
) -> Result<T, Error> {
    let late = |_| Error::Late { what, within };
    timeout(within, answer).await.map_err(late)
}
