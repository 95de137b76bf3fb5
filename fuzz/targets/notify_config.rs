//! Any text is a configuration or refused with positions within it; an accepted one routes every alert. The file
//! `crates/vigie-notify/tests/all.yml` is a good seed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_notify::config;
use vigie_notify::route::Routes;
use vigie_promql::Labels;

fuzz_target!(|text: &str| {
    match config::load(text) {
        Ok(config) => {
            let routes = Routes::new(&config.route);
            let labels = Labels::new([("severity", "critical"), ("queue", "mail")]);
            let found = routes.find(&labels);
            assert!(!found.is_empty());
            for route in found {
                let options = routes.options(route);
                let _ = options.group_key(&options.group(&labels));
            }
            for interval in &config.time_intervals {
                let _ = interval.contains(0);
            }
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                assert!(text.get(problem.span.clone()).is_some(), "{problem}");
            }
        }
    }
});
