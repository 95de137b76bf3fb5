//! Templates against amtool 0.33 or later.
#![allow(clippy::unwrap_used)]

#[path = "support/templates.rs"]
mod templates;

use std::process::ExitCode;

use vigie_testkit::conformance::{self, Test};
use vigie_testkit::sid;

fn main() -> ExitCode {
    let tests: Vec<Test<'static>> = vec![
        (
            "templates_render_as_in_the_newer_amtool".to_owned(),
            Box::new(|amtool| templates::compare(amtool, true)),
        ),
        (
            "the_templates_of_alertmanager_render_as_there".to_owned(),
            Box::new(templates::compare_packaged),
        ),
        (
            "the_built_in_templates_render_as_there".to_owned(),
            Box::new(templates::compare_built_in),
        ),
    ];
    conformance::run(sid::AMTOOL.find(), false, tests)
}
