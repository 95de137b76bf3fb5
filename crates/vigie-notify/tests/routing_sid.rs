//! Routing against amtool 0.33 or later, which has UTF-8 names.
#![allow(clippy::unwrap_used)]

#[path = "support/routing.rs"]
mod routing;
#[path = "support/short.rs"]
mod short;

use std::process::ExitCode;

use vigie_testkit::conformance::{self, Test};
use vigie_testkit::sid;

fn main() -> ExitCode {
    let test: Test<'static> = (
        "alerts_go_where_the_newer_amtool_sends_them".to_owned(),
        Box::new(|amtool| routing::compare(amtool, true)),
    );
    let short: Test<'static> = (
        "the_newer_amtool_accepts_what_the_short_settings_stand_for".to_owned(),
        Box::new(short::accepted),
    );
    conformance::run(sid::AMTOOL.find(), false, vec![test, short])
}
