//! Any bytes choose what a database server sends: each login and statement ends with a result or a failure, and no failure
//! contains the password.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| vigie_probes::fuzzing::any_server(bytes));
