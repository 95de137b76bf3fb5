//! Any records are read as a state of notifications, or skipped; what is read can be advanced.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vigie_notify::dispatch::Plan;
use vigie_notify::{config, service};

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let config = "
route: {receiver: a, group_by: [x], routes: [{matchers: [y=z], receiver: b}]}
receivers:
  - {name: a, webhook_configs: [{url: 'http://x'}]}
  - {name: b, webhook_configs: [{url: 'http://x'}], slack_configs: [{api_url: 'http://x'}]}
";
    Plan::new(&config::load(config).expect("the configuration is valid"))
});

fuzz_target!(|bytes: &[u8]| {
    let records: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let mut dispatcher = service::read_state(&records, PLAN.clone(), 1_000);
    for now in [1_000, 400_000, i64::MAX / 2] {
        for sent in dispatcher.advance(now).notifications {
            dispatcher.attempt(sent.id);
        }
        dispatcher.recover(now);
        dispatcher.take_changes();
        let _ = dispatcher.listing(now, |_| true);
    }
});
