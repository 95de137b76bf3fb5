//! Any bytes are a server's certificate, or edits of a genuine one: it is trusted only if a root has signed it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vigie_tls::fuzzing::any_certificate(bytes));
