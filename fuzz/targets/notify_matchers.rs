//! Any text is a list of matchers or refused with a position within it; what is read is written so that it is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_notify::matcher::{Matchers, parse};

fuzz_target!(|text: &str| match parse(text) {
    Ok(matchers) => {
        let matchers = Matchers::new(matchers);
        let written = matchers.to_string();
        let read = parse(&written).map(Matchers::new);
        assert_eq!(read, Ok(matchers), "{written}");
    }
    Err(error) => assert!(text.get(error.span).is_some()),
});
