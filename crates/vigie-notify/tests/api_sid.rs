//! The API and amtool, side by side with Alertmanager 0.33 or later.
#![allow(clippy::unwrap_used)]

#[path = "support/amtool.rs"]
mod amtool;
#[path = "support/api.rs"]
mod api;
#[path = "support/side_by_side.rs"]
mod side_by_side;

use std::process::ExitCode;

use serde_json::{Value, json};
use vigie_testkit::conformance::{self, Test};
use vigie_testkit::sid;

/// The beginnings of errors that are the same to the letter.
const EXACT: [&str; 4] = [
    "at least one label",
    "start time",
    "Failed to create silence",
    "silence not found",
];

/// The shape of errors is the same; their words differ where they quote a parser.
fn adapt(_: &str, _: &str, _: bool, status: &mut u16, body: &mut Value) {
    if *status >= 400 {
        let same = body.as_str().is_some_and(|text| {
            let mut exact = EXACT.iter();
            exact.any(|start| text.starts_with(start))
        });
        *body = match same {
            true => body.clone(),
            false => json!([body.is_object(), body.is_null(), body["code"]]),
        };
    }
}

fn main() -> ExitCode {
    let test: Test<'static> = (
        "the_answers_are_those_of_the_newer_alertmanager".to_owned(),
        Box::new(|program| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(side_by_side::compare(program, true, adapt));
        }),
    );
    let amtool: Test<'static> = (
        "the_newer_amtool_prints_the_same".to_owned(),
        Box::new(|program| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let amtool = sid::AMTOOL.find().unwrap();
            runtime.block_on(amtool::compare(program, &amtool));
        }),
    );
    conformance::run(sid::ALERTMANAGER.find(), false, vec![test, amtool])
}
