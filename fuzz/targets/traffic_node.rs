//! What passes is parsed by Node's HTTP server, with both of its parsers, as it was here. Needs `node`.
#![no_main]

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[path = "../../crates/vigie-traffic/tests/traffic/generator.rs"]
#[allow(dead_code)]
mod generator;
#[path = "../../crates/vigie-traffic/tests/traffic/parsed.rs"]
#[allow(dead_code)]
mod parsed;

/// Ends when this process does: its input is closed.
struct Node {
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Node {
    fn start() -> Self {
        const SCRIPT: &str = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../crates/vigie-traffic/tests/traffic/server.js"
        );
        let mut command = Command::new("node");
        command
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("node starts");
        Self {
            stdin: child.stdin.take().expect("its input"),
            stdout: BufReader::new(child.stdout.take().expect("its output")),
            _child: child,
        }
    }

    fn parse(&mut self, input: &[u8], insecure: bool) -> Value {
        let inputs = [parsed::latin1(input)];
        let command =
            json!({ "cmd": "parse", "inputs": inputs, "insecure": insecure, "tcp": false });
        writeln!(self.stdin, "{command}").expect("node reads");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("node answers");
        let mut answer: Value = serde_json::from_str(&line).expect("JSON");
        answer["results"][0].take()
    }
}

thread_local! {
    static NODE: RefCell<Node> = RefCell::new(Node::start());
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, rest @ ..] = bytes else { return };
    let input = match choice % 4 {
        0 => rest.to_vec(),
        _ => generator::pipeline(rest),
    };
    let parsed = parsed::parse(&input);
    NODE.with_borrow_mut(|node| {
        for insecure in [false, true] {
            let theirs = node.parse(&parsed.passed, insecure);
            if let Err(difference) = parsed::compare(&parsed, &theirs) {
                panic!(
                    "\"{}\", insecure {insecure}: {difference}",
                    input.escape_ascii()
                );
            }
        }
    });
});
