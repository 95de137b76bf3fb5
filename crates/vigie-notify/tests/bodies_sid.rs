//! Webhook bodies against Alertmanager 0.33 or later, which also states the reason.
#![allow(clippy::unwrap_used)]

#[path = "support/bodies.rs"]
mod bodies;

use std::process::ExitCode;

use vigie_testkit::conformance::{self, Test};
use vigie_testkit::sid;

fn main() -> ExitCode {
    let test: Test<'static> = (
        "the_bodies_are_those_of_the_newer_alertmanager".to_owned(),
        Box::new(|alertmanager| bodies::compare(alertmanager, true)),
    );
    conformance::run(sid::ALERTMANAGER.find(), false, vec![test])
}
