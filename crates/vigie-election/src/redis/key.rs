//! The key: reads it, and changes it in transactions.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use tokio::time::timeout;
use vigie_redis::Endpoint;

use super::error::Error;
use crate::election::TRIES;
use crate::store::{Record, Store};

/// The key and its Redis.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server, or the cluster.
    pub endpoint: Endpoint,
    /// The name of the key.
    pub key: String,
    /// How long the key lasts unless it is renewed. It is renewed three times as often.
    pub period: Duration,
    /// The deadline of a request.
    pub timeout: Duration,
}

/// The name of the holder, as read from the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder(String);

impl Record for Holder {
    fn holder(&self) -> &str {
        &self.0
    }

    fn lasts(&self, _: Duration) -> Option<Duration> {
        None
    }

    fn is_unchanged(&self, before: &Self) -> bool {
        self == before
    }
}

/// The key, with a connection to its server.
pub(crate) struct Key {
    settings: Settings,
    connection: Option<MultiplexedConnection>,
}

impl Key {
    pub(crate) fn new(mut settings: Settings) -> Self {
        settings.timeout = settings.timeout.min(settings.period / TRIES);
        Self {
            settings,
            connection: None,
        }
    }

    /// Sends the commands in one round trip. After an error the next request opens a new connection: in a cluster the
    /// key may have moved.
    pub(crate) async fn ask(
        &mut self,
        what: &'static str,
        commands: &Pipeline,
    ) -> Result<Vec<Value>, Error> {
        let within = self.settings.timeout;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let key = self.settings.key.as_bytes();
                self.settings.endpoint.connect_to_owner(key, within).await?
            }
        };
        let answers = connection.send_packed_commands(commands, 0, commands.len());
        let late = |_| Error::Late { what, within };
        let answers = timeout(within, answers).await.map_err(late)?;
        let answers = answers.map_err(|source| Error::Redis { what, source })?;
        for answer in &answers {
            if let Value::ServerError(error) = answer {
                let source = error.clone().into();
                return Err(Error::Redis { what, source });
            }
        }
        self.connection = Some(connection);
        Ok(answers)
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.key
    }

    /// Reads the key and watches it until the next transaction.
    async fn watch(&mut self) -> Result<Option<Holder>, Error> {
        let what = "reading the lease";
        let mut commands = redis::pipe();
        commands.cmd("WATCH").arg(&self.settings.key);
        commands.cmd("GET").arg(&self.settings.key);
        let answers = self.ask(what, &commands).await?;
        holder(answers.last()).ok_or(Error::Answer { what })
    }

    async fn unwatch(&mut self) -> Result<(), Error> {
        let mut commands = redis::pipe();
        commands.cmd("UNWATCH");
        self.ask("releasing the watch of the lease", &commands)
            .await?;
        Ok(())
    }

    /// Changes the watched key unless another client changed it. Returns whether it was changed.
    async fn change(&mut self, command: Cmd) -> Result<bool, Error> {
        let mut commands = redis::pipe();
        commands.cmd("MULTI");
        commands.add_command(command);
        commands.cmd("EXEC");
        let answers = self.ask("changing the lease", &commands).await?;
        Ok(is_done(answers.last()))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.settings.period.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Store for Key {
    type Record = Holder;
    type Error = Error;

    fn name(&self) -> &str {
        &self.settings.key
    }

    async fn read(&mut self) -> Result<Option<Holder>, Error> {
        let what = "reading the lease";
        let mut commands = redis::pipe();
        commands.cmd("GET").arg(&self.settings.key);
        let answers = self.ask(what, &commands).await?;
        holder(answers.last()).ok_or(Error::Answer { what })
    }

    async fn create(&mut self, me: &str) -> Result<Option<Holder>, Error> {
        if self.watch().await?.is_some() {
            self.unwatch().await?;
            return Ok(None);
        }
        let mut take = redis::cmd("SET");
        take.arg(&self.settings.key).arg(me).arg("NX");
        take.arg("PX").arg(self.millis());
        let is_taken = self.change(take).await?;
        Ok(is_taken.then(|| Holder(me.to_owned())))
    }

    async fn replace(&mut self, _: Holder, me: &str) -> Result<Option<Holder>, Error> {
        let found = self.watch().await?;
        let Some(mine) = found.filter(|found| found.holder() == me) else {
            self.unwatch().await?;
            return Ok(None);
        };
        let mut renew = redis::cmd("PEXPIRE");
        renew.arg(&self.settings.key).arg(self.millis());
        let is_renewed = self.change(renew).await?;
        Ok(is_renewed.then_some(mine))
    }

    async fn release(&mut self, me: &str) -> Result<(), Error> {
        if self
            .watch()
            .await?
            .is_some_and(|found| found.holder() == me)
        {
            let mut delete = redis::cmd("DEL");
            delete.arg(&self.settings.key);
            self.change(delete).await?;
        }
        Ok(())
    }
}

/// The value of the key: `Some(None)` if it does not exist, `None` if the answer is not a value.
pub(crate) fn holder(answer: Option<&Value>) -> Option<Option<Holder>> {
    let text = |bytes: &[u8]| Some(Some(Holder(String::from_utf8_lossy(bytes).into_owned())));
    match answer? {
        Value::Nil => Some(None),
        Value::BulkString(bytes) => text(bytes),
        Value::SimpleString(string) => text(string.as_bytes()),
        _ => None,
    }
}

/// Whether a transaction of one command was executed and changed something.
fn is_done(answer: Option<&Value>) -> bool {
    match answer {
        Some(Value::Array(answers)) => matches!(answers[..], [Value::Okay | Value::Int(1)]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_missing_keys_and_other_answers_are_distinguished() {
        let named = |name: &str| Some(Some(Holder(name.to_owned())));
        assert_eq!(holder(Some(&Value::Nil)), Some(None));
        assert_eq!(holder(Some(&Value::BulkString("a_1".into()))), named("a_1"));
        assert_eq!(holder(Some(&Value::BulkString(Vec::new()))), named(""));
        assert_eq!(holder(Some(&Value::Int(3))), None);
        assert_eq!(holder(None), None);
    }

    #[test]
    fn only_a_transaction_that_changed_something_counts() {
        let of = |answer| is_done(Some(&Value::Array(vec![answer])));
        assert!(of(Value::Okay) && of(Value::Int(1)));
        assert!(!of(Value::Nil) && !of(Value::Int(0)));
        assert!(!is_done(Some(&Value::Nil)) && !is_done(Some(&Value::Array(vec![]))));
        assert!(!is_done(None));
    }
}
