//! Any bytes are a story of a queue's event stream: entries of any form, trimmed, missed, out of order. What is counted of
//! it is right, and all bounds hold.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vigie_bullmq::fuzzing::any_story(bytes));
