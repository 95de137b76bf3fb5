//! Forwarding to Alertmanager 0.33 or later, which has UTF-8 names.
#![allow(clippy::unwrap_used)]

#[path = "support/forwarding.rs"]
mod forwarding;

use std::process::ExitCode;

use vigie_testkit::conformance::{self, Test};
use vigie_testkit::{Alertmanager, sid};

fn main() -> ExitCode {
    let test: Test<'static> = (
        "alerts_reach_the_newer_alertmanager_and_resolve".to_owned(),
        Box::new(|program| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            let program = program.to_owned();
            let start = |config: String| async move {
                Alertmanager::start_program(&program, &config).await
            };
            runtime.block_on(forwarding::check(start, true));
        }),
    );
    conformance::run(sid::ALERTMANAGER.find(), false, vec![test])
}
