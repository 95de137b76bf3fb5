//! Any bytes are a body of Alertmanager's API or refused, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_notify::api::fuzzing;

fuzz_target!(|body: &[u8]| {
    fuzzing::alerts(body);
    fuzzing::silences(body);
});
