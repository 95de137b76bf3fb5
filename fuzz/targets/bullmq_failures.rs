//! Any bytes are the reasons and stack traces of failed jobs: they become short lines without digits, are all counted, and take a
//! bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vigie_bullmq::fuzzing::any_failures(bytes));
