//! The cases of `exchanges.txt`, whose format `exchanges.js` describes.

use vigie_testkit::tools;
use vigie_traffic::{Close, Limits, Side};

use crate::driver::{Driver, Input};
use crate::notes::unescape;

const TEXT: &str = include_str!("exchanges.txt");

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) inputs: Vec<Input>,
    pub(crate) events: Vec<&'static str>,
}

pub(crate) fn cases() -> Vec<Case> {
    let blocks = TEXT.split("\n\n").filter(|block| !block.is_empty());
    blocks.map(case).collect()
}

fn case(block: &'static str) -> Case {
    let mut lines = block.lines();
    let name = lines.next().and_then(|line| line.strip_prefix("# "));
    let (mut inputs, mut events) = (Vec::new(), Vec::new());
    for line in lines {
        match input(line) {
            Some(input) => inputs.push(input),
            None => events.push(line),
        }
    }
    Case {
        name: name.unwrap(),
        inputs,
        events,
    }
}

fn input(line: &str) -> Option<Input> {
    match line {
        "abandon" => return Some(Input::Abandon),
        "resume" => return Some(Input::Resume),
        _ => {}
    }
    let side = match line.as_bytes().first()? {
        b'>' => Side::Client,
        b'<' => Side::App,
        _ => return None,
    };
    Some(match &line[1..] {
        "." => Input::Close(side, Close::Finished),
        "!" => Input::Close(side, Close::Reset),
        rest => match rest.strip_prefix("~ ") {
            Some(missing) => Input::Gap(side, missing.parse().unwrap()),
            None => Input::Bytes(side, unescape(rest.strip_prefix(' ').unwrap())),
        },
    })
}

#[test]
fn every_case_has_the_events_that_follow_from_its_construction() {
    let mut failures = Vec::new();
    for case in cases() {
        let events = Driver::run(Limits::default(), &case.inputs);
        if events != case.events {
            let (found, expected) = (events.join("\n  "), case.events.join("\n  "));
            let name = case.name;
            failures.push(format!("{name}\nfound\n  {found}\nexpected\n  {expected}"));
        }
    }
    let count = failures.len();
    assert!(failures.is_empty(), "{count}:\n{}", failures.join("\n\n"));
    assert!(cases().len() >= 400);
}

#[test]
fn the_file_is_the_output_of_its_script() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traffic/exchanges.js");
    let mut node = std::process::Command::new(tools::NODE.find().unwrap());
    let output = node.arg(script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8(output.stdout).unwrap() == TEXT,
        "run `node exchanges.js > exchanges.txt` in tests/traffic"
    );
}
