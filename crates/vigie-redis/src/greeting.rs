//! The reply to `HELLO`: a server's role and mode, which any user may read.

use redis::Value;
use redis::aio::MultiplexedConnection;

use crate::error::Error;
use crate::reply::{field, text};

/// The fields that are used; `None` if the server did not send the field; old versions do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Its role in the replication: `master`, `replica`, and in old versions `slave`.
    pub(crate) role: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub(crate) mode: Option<String>,
}

pub(crate) async fn of(connection: &mut MultiplexedConnection) -> Result<Greeting, Error> {
    let answer = connection.send_packed_command(&redis::cmd("HELLO")).await;
    match answer {
        Ok(answer) => Ok(read(&answer)),
        Err(error) if error.code().is_some() => Ok(Greeting::default()),
        Err(error) => Err(Error::Redis(error)),
    }
}

fn read(answer: &Value) -> Greeting {
    Greeting {
        role: field(answer, "role").and_then(text),
        mode: field(answer, "mode").and_then(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols() {
        let text = |text: &str| Value::BulkString(text.into());
        let flat = ["server", "redis", "mode", "cluster", "role", "slave"].map(text);
        let greeting = read(&Value::Array(flat.to_vec()));
        assert_eq!(greeting.role.as_deref(), Some("slave"));
        assert_eq!(greeting.mode.as_deref(), Some("cluster"));
        let pairs = vec![(text("role"), Value::SimpleString("master".into()))];
        assert_eq!(read(&Value::Map(pairs)).role.as_deref(), Some("master"));
        assert_eq!(read(&Value::Nil), Greeting::default());
        assert_eq!(read(&Value::Array(vec![text("role")])), Greeting::default());
    }
}
