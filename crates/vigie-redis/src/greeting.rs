//! What a server says of itself when it is greeted: that needs no right of its own.

use redis::Value;
use redis::aio::MultiplexedConnection;

use crate::error::Error;

/// What is asked of it here. `None`: the server is too old to tell, or does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// What it is in its replication: `master`, `replica`, and in old versions `slave`.
    pub(crate) role: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub(crate) mode: Option<String>,
}

pub(crate) async fn of(connection: &mut MultiplexedConnection) -> Result<Greeting, Error> {
    let answer = connection.send_packed_command(&redis::cmd("HELLO")).await;
    match answer {
        Ok(answer) => Ok(read(answer)),
        Err(error) if error.code().is_some() => Ok(Greeting::default()),
        Err(error) => Err(Error::Redis(error)),
    }
}

fn read(answer: Value) -> Greeting {
    let text = |value: &Value| match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    };
    let fields: Vec<Value> = match answer {
        Value::Array(fields) => fields,
        Value::Map(pairs) => pairs.into_iter().flat_map(<[Value; 2]>::from).collect(),
        _ => Vec::new(),
    };
    let field = |name: &str| {
        let mut pairs = fields.chunks_exact(2);
        let pair = pairs.find(|pair| text(&pair[0]).as_deref() == Some(name))?;
        text(&pair[1])
    };
    Greeting {
        role: field("role"),
        mode: field("mode"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols() {
        let text = |text: &str| Value::BulkString(text.into());
        let flat = ["server", "redis", "mode", "cluster", "role", "slave"].map(text);
        let greeting = read(Value::Array(flat.to_vec()));
        assert_eq!(greeting.role.as_deref(), Some("slave"));
        assert_eq!(greeting.mode.as_deref(), Some("cluster"));
        let pairs = vec![(text("role"), Value::SimpleString("master".into()))];
        assert_eq!(read(Value::Map(pairs)).role.as_deref(), Some("master"));
        assert_eq!(read(Value::Nil), Greeting::default());
        assert_eq!(read(Value::Array(vec![text("role")])), Greeting::default());
    }
}
