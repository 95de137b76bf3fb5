//! A connection with a deadline for each command.
//!
//! It does not reconnect automatically: after an error, a task drops it and opens another, and thus notices the gap. A
//! refused command or an unexpected reply is not a connection error.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, ServerErrorKind, Value};
use tokio::time::timeout;
use vigie_redis::Endpoint;

use crate::error::Error;
use crate::nodes::refusals::{Refusals, UNUSABLE};

#[derive(Clone)]
pub(crate) struct Link {
    connection: MultiplexedConnection,
    deadline: Duration,
    refusals: Arc<Refusals>,
    /// Whether the server replied that something permanently moved to another node.
    moved: bool,
}

impl Link {
    pub(crate) async fn open(
        endpoint: &Endpoint,
        deadline: Duration,
        refusals: &Arc<Refusals>,
    ) -> Result<Self, Error> {
        let connection = endpoint.connect(deadline).await;
        Ok(Self {
            connection: connection.map_err(Error::Connect)?,
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
    /// As [`Link::ask_all`].
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
        let answers = self
            .connection
            .send_packed_commands(pipeline, 0, pipeline.len());
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

/// Whether a reply means that this node does not (or not completely) hold the key.
pub(crate) fn is_elsewhere(answer: &Value) -> bool {
    match answer {
        Value::ServerError(error) => is_of_slot(error),
        _ => false,
    }
}

/// Whether a reply means that the slots of the nodes changed. A migration in progress is not such a change.
fn is_moved(answer: &Value) -> bool {
    match answer {
        Value::ServerError(error) => {
            error.kind() == Some(ServerErrorKind::Moved)
                || error.kind() == Some(ServerErrorKind::ClusterDown) && is_of_slot(error)
        }
        _ => false,
    }
}

/// The slot is on another node, migrating, or unassigned.
fn is_of_slot(error: &redis::ServerError) -> bool {
    use ServerErrorKind::{Ask, ClusterDown, Moved, TryAgain};
    match error.kind() {
        Some(Moved | Ask | TryAgain) => true,
        // The other CLUSTERDOWN error concerns all slots.
        Some(ClusterDown) => error
            .details()
            .is_some_and(|details| details.contains("slot not served")),
        _ => false,
    }
}

/// The error concerns this key only: another type, no such key, or no permission for the key.
pub(crate) fn is_of_key(error: &redis::ServerError) -> bool {
    let has = |text| {
        error
            .details()
            .is_some_and(|details| details.contains(text))
    };
    match error.kind() {
        Some(ServerErrorKind::NoPerm) => !has("permissions to run"),
        Some(ServerErrorKind::ResponseError) => has("no such key"),
        _ => error.code() == "WRONGTYPE" || is_of_slot(error),
    }
}

/// Pauses between connection attempts: exponential, with jitter.
pub(crate) struct Backoff(u32);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);

    pub(crate) fn new() -> Self {
        Self(0)
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = Self::FIRST.saturating_mul(1 << self.0).min(Self::LONGEST);
        self.0 = (self.0 + 1).min(10);
        // `RandomState` is seeded per instance, which suffices for jitter.
        let chance = RandomState::new().hash_one(self.0) % 256;
        pause.mul_f64(0.75 + chance as f64 / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut backoff = Backoff::new();
        let first = backoff.next();
        assert!(first >= Duration::from_millis(75) && first <= Duration::from_millis(125));
        let last = (0..100).map(|_| backoff.next()).last();
        assert!(
            last >= Some(Duration::from_millis(1500)) && last <= Some(Duration::from_millis(2500))
        );
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(125));
    }
}
