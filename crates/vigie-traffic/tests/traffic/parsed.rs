//! The requests of a connection, in the form in which `server.js` reports them.

use std::time::Duration;

use serde_json::{Value, json};
use vigie_traffic::{Connection, Event, Fault, Fields, Limits, Side, Version};

pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The requests that the framing reads on one connection.
pub(crate) struct Parsed {
    pub(crate) messages: Vec<Value>,
    /// The bytes that a gateway forwards.
    pub(crate) passed: Vec<u8>,
    pub(crate) refused: Option<Fault>,
}

pub(crate) fn parse(input: &[u8]) -> Parsed {
    let mut connection = Connection::new(Limits::default());
    let (mut messages, mut passed, mut refused) = (Vec::new(), Vec::new(), None);
    let mut body = Vec::new();
    let mut rest = input;
    loop {
        let step = connection.read(Side::Client, Duration::ZERO, &mut rest);
        passed.extend_from_slice(step.passed);
        let flat = |fields: Fields<'_>| -> Vec<String> {
            let pairs = fields.map(|(name, value)| [name.to_owned(), latin1(value)]);
            pairs.flatten().collect()
        };
        match step.event {
            Some(Event::Request(head)) => {
                body.clear();
                messages.push(json!({
                    "method": head.method(),
                    "target": head.target(),
                    "version": if head.version() == Version::Http11 { "1.1" } else { "1.0" },
                    "fields": flat(head.fields()),
                    "body": "",
                    "complete": false,
                }));
            }
            Some(event) => {
                let message = messages.last_mut();
                match (event, message) {
                    (Event::Body(data), Some(message)) => {
                        body.extend_from_slice(data);
                        message["body"] = latin1(&body).into();
                    }
                    (Event::Trailers(trailers), Some(message)) => {
                        message["trailers"] = flat(trailers).into();
                    }
                    (Event::End, Some(message)) => {
                        message["complete"] = true.into();
                        if message.get("trailers").is_none() {
                            message["trailers"] = json!([]);
                        }
                    }
                    (Event::Refused(fault), _) => refused = Some(fault),
                    _ => {}
                }
            }
            None => break,
        }
    }
    Parsed {
        messages,
        passed,
        refused,
    }
}

/// Why Node refuses some requests that pass: it decides about more than framing. It closes the connection, so what
/// follows is not parsed.
const REFUSED_BY_NODE: &[(&str, &str)] = &[
    ("HPE_INVALID_METHOD", "Node knows a fixed list of methods"),
    (
        "HPE_INVALID_URL",
        "Node parses the authority of absolute targets and of CONNECT",
    ),
];

/// Compares what passed with what Node parsed of it.
pub(crate) fn compare(parsed: &Parsed, theirs: &Value) -> Result<(), String> {
    let messages = theirs["messages"].as_array().ok_or("no messages")?;
    let error = theirs["error"].as_str();
    if let Some(error) = error
        && !REFUSED_BY_NODE.iter().any(|(code, _)| *code == error)
    {
        return Err(format!("Node refuses it: {error}"));
    }
    let mut expected = &parsed.messages[..];
    // Without a listener for CONNECT, Node closes the connection and reports nothing.
    if let [before @ .., last] = expected
        && last["method"] == "CONNECT"
    {
        expected = before;
    }
    let same = match error {
        None => expected == messages,
        Some(_) => expected.starts_with(messages),
    };
    match same {
        true => Ok(()),
        false => Err(format!(
            "here\n  {}\nNode ({error:?})\n  {}",
            Value::from(expected),
            theirs["messages"]
        )),
    }
}
