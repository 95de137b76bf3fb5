//! Any bytes are a file of certificates and keys: it can be used or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vigie_tls::fuzzing::any_file(bytes));
