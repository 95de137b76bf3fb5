//! Responses are parsed as by Node's client.

use std::time::Duration;

use serde_json::{Value, json};
use vigie_traffic::{Connection, Event, Fault, Fields, Limits, Side, Version};

use crate::generator;
use crate::node::{Node, Random};
use crate::parsed::latin1;

/// The first final response of a connection and the interim ones before it, in the form in which `client.js` reports them.
struct Parsed {
    interim: Vec<Value>,
    response: Option<Value>,
    refused: Option<Fault>,
    /// Whether the input ends in a head, in which Node may see a fault before the end of its line.
    in_head: bool,
}

fn parse(method: &str, input: &[u8]) -> Parsed {
    let mut connection = Connection::new(Limits::default());
    let request = format!("{method} / HTTP/1.1\r\n\r\n");
    let mut rest = request.as_bytes();
    let mut more = || {
        let step = connection.read(Side::Client, Duration::ZERO, &mut rest);
        step.event.is_some()
    };
    while more() {}
    let mut parsed = Parsed {
        interim: Vec::new(),
        response: None,
        refused: None,
        in_head: false,
    };
    let flat = |fields: Fields<'_>| -> Vec<String> {
        let pairs = fields.map(|(name, value)| [name.to_owned(), latin1(value)]);
        pairs.flatten().collect()
    };
    let mut body = Vec::new();
    let mut rest = input;
    while let Some(event) = connection.read(Side::App, Duration::ZERO, &mut rest).event {
        match (event, &mut parsed.response) {
            (Event::Response(head), None) => {
                let mut value = json!({
                    "status": head.status(),
                    "version": if head.version() == Version::Http11 { "1.1" } else { "1.0" },
                    "fields": flat(head.fields()),
                });
                if head.is_interim() {
                    parsed.interim.push(value);
                } else {
                    value["body"] = "".into();
                    value["complete"] = false.into();
                    parsed.response = Some(value);
                }
            }
            (Event::Body(data), Some(response)) => {
                body.extend_from_slice(data);
                response["body"] = latin1(&body).into();
            }
            (Event::Trailers(trailers), Some(response)) => {
                response["trailers"] = flat(trailers).into();
            }
            (Event::Completed, Some(response)) => {
                response["complete"] = true.into();
                if response.get("trailers").is_none() {
                    response["trailers"] = json!([]);
                }
                break;
            }
            (Event::Refused(fault), _) => parsed.refused = Some(fault),
            _ => {}
        }
    }
    parsed.in_head = !connection.held(Side::App).is_empty();
    parsed
}

/// Why Node's client refuses some responses that are read here.
const REFUSED_BY_NODE: &[(&str, &str)] = &[
    (
        "HPE_INVALID_CONTENT_LENGTH",
        "Content-Length beside Transfer-Encoding, which wins (RFC 9112, section 6.3)",
    ),
    (
        "HPE_INVALID_TRANSFER_ENCODING",
        "the same, in the other order",
    ),
    (
        "HPE_CLOSED_CONNECTION",
        "bytes after the last response: here the response is complete, and then they are refused",
    ),
];

fn compare(ours: &Parsed, theirs: &Value) -> Result<(), String> {
    let error = theirs["error"].as_str();
    let described = || {
        let response = ours.response.as_ref();
        format!("here\n  {:?} {response:?}\nNode\n  {theirs}", ours.interim)
    };
    if ours.refused.is_some() {
        // Node may read more of it.
        return Ok(());
    }
    let same = theirs["interim"].as_array() == Some(&ours.interim)
        && theirs["response"] == ours.response.clone().unwrap_or(Value::Null);
    if let Some(error) = error {
        // The bytes after a complete response are not of interest.
        let complete = |response: &Value| response["complete"] == true;
        if same && (ours.in_head || ours.response.as_ref().is_some_and(complete)) {
            return Ok(());
        }
        return match REFUSED_BY_NODE.iter().any(|(code, _)| *code == error) {
            true => Ok(()),
            false => Err(described()),
        };
    }
    if same { Ok(()) } else { Err(described()) }
}

#[tokio::test]
async fn generated_responses_are_parsed_as_by_node() {
    const BATCHES: usize = 20;
    const BATCH: usize = 250;
    let mut node = Node::client();
    let mut random = Random(0xfeed);
    let mut compared = 0;
    for batch in 0..BATCHES {
        let method = ["GET", "HEAD"][batch % 2];
        let inputs: Vec<Vec<u8>> = (0..BATCH)
            .map(|_| generator::responses(&random.bytes(120)))
            .collect();
        for insecure in [false, true] {
            let all: Vec<&[u8]> = inputs.iter().map(|input| &input[..]).collect();
            let theirs = node.responses(method, &all, insecure).await;
            for (input, theirs) in inputs.iter().zip(&theirs) {
                let ours = parse(method, input);
                if let Err(difference) = compare(&ours, theirs) {
                    let input = input.escape_ascii();
                    panic!("{method} \"{input}\", insecure {insecure}: {difference}");
                }
                let both = ours.response.is_some() && theirs["response"].is_object();
                compared += usize::from(both && ours.refused.is_none());
            }
        }
    }
    assert!(compared > BATCHES * BATCH / 4, "{compared}");
}
