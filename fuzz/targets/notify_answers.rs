//! Answers of mail servers, HTTP servers and proxies: see `any_answer`.
#![no_main]
#![allow(clippy::unwrap_used)]

#[path = "../../crates/vigie-notify/tests/support/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answers::any_answer(bytes));
