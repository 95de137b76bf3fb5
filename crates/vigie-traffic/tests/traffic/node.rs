//! Node's server parses accepted requests exactly as the framing does. The fuzz target `traffic_node` does the same.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use vigie_testkit::{Process, tools};
use vigie_traffic::Side;

use crate::generator;
use crate::parsed::{Parsed, compare, latin1, parse};

/// A Node process with two HTTP servers: one with its default parser, one with `insecureHTTPParser`.
pub(crate) struct Node(Process);

const DEADLINE: Duration = Duration::from_secs(60);

/// How the bytes reach Node's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A stream that is passed to it as a connection.
    Memory,
    Tcp,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::run("server.js")
    }

    /// Its client instead.
    pub(crate) fn client() -> Self {
        Self::run("client.js")
    }

    fn run(script: &str) -> Self {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traffic");
        let mut command = Command::new(tools::NODE.find().unwrap());
        command.current_dir(directory).arg(script);
        Self(Process::spawn(script, command).unwrap())
    }

    /// The responses and the error of each input, which answers a request with this method.
    pub(crate) async fn responses(
        &mut self,
        method: &str,
        inputs: &[&[u8]],
        insecure: bool,
    ) -> Vec<Value> {
        let texts: Vec<String> = inputs.iter().map(|input| latin1(input)).collect();
        let command =
            json!({ "cmd": "parse", "method": method, "inputs": texts, "insecure": insecure });
        self.ask(&command, inputs.len()).await
    }

    /// The messages and the error of each input.
    pub(crate) async fn parse(
        &mut self,
        inputs: &[&[u8]],
        insecure: bool,
        transport: Transport,
    ) -> Vec<Value> {
        let texts: Vec<String> = inputs.iter().map(|input| latin1(input)).collect();
        let tcp = transport == Transport::Tcp;
        let command = json!({ "cmd": "parse", "inputs": texts, "insecure": insecure, "tcp": tcp });
        self.ask(&command, inputs.len()).await
    }

    async fn ask(&mut self, command: &Value, count: usize) -> Vec<Value> {
        let mut answer = self.0.ask(command, DEADLINE).await.unwrap();
        let Value::Array(results) = answer["results"].take() else {
            panic!("no results: {answer}")
        };
        assert_eq!(results.len(), count);
        results
    }
}

/// Pseudorandom numbers (xorshift64*), the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        };
        (0..count).map(|_| next()).collect()
    }
}

#[tokio::test]
async fn generated_pipelines_are_parsed_as_by_node() {
    const BATCHES: usize = 40;
    const BATCH: usize = 250;
    let mut node = Node::start();
    let mut random = Random(0x5eed);
    let (mut compared, mut refused) = (0, 0);
    for _ in 0..BATCHES {
        let inputs: Vec<Vec<u8>> = (0..BATCH)
            .map(|_| generator::pipeline(&random.bytes(120)))
            .collect();
        let parsed: Vec<Parsed> = inputs.iter().map(|input| parse(input)).collect();
        let passed: Vec<&[u8]> = parsed.iter().map(|parsed| &parsed.passed[..]).collect();
        for insecure in [false, true] {
            let theirs = node.parse(&passed, insecure, Transport::Memory).await;
            for ((input, ours), theirs) in inputs.iter().zip(&parsed).zip(&theirs) {
                if let Err(difference) = compare(ours, theirs) {
                    panic!(
                        "\"{}\", insecure {insecure}: {difference}",
                        input.escape_ascii()
                    );
                }
                compared += theirs["messages"].as_array().map_or(0, Vec::len);
            }
        }
        refused += parsed
            .iter()
            .filter(|parsed| parsed.refused.is_some())
            .count();
    }
    // Otherwise the generator compares too little.
    assert!(compared > BATCHES * BATCH, "{compared}");
    assert!(refused > BATCHES * BATCH / 4, "{refused}");
}

/// Requests in which nothing is ambiguous pass whole.
#[tokio::test]
async fn the_corpus_is_parsed_as_by_node() {
    use crate::driver::Input;
    let mut node = Node::start();
    let mut inputs: Vec<Vec<u8>> = Vec::new();
    for case in crate::corpus::cases() {
        let client = case.inputs.iter().filter_map(|input| match input {
            Input::Bytes(Side::Client, bytes) => Some(&bytes[..]),
            _ => None,
        });
        inputs.push(client.collect::<Vec<_>>().concat());
    }
    let parsed: Vec<Parsed> = inputs.iter().map(|input| parse(input)).collect();
    let passed: Vec<&[u8]> = parsed.iter().map(|parsed| &parsed.passed[..]).collect();
    for insecure in [false, true] {
        let theirs = node.parse(&passed, insecure, Transport::Memory).await;
        for (ours, theirs) in parsed.iter().zip(&theirs) {
            if let Err(difference) = compare(ours, theirs) {
                panic!("\"{}\": {difference}", ours.passed.escape_ascii());
            }
        }
    }
}
