//! Any bytes are a log of records or refused, in bounded time; records that are read are within the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_store::{Kind, records};

fuzz_target!(|bytes: &[u8]| {
    if let Ok((records, damaged)) = records(bytes, Kind::new(*b"FUZZ", 1)) {
        let read: usize = records.iter().map(|record| 12 + record.len()).sum();
        assert!(read + damaged <= bytes.len());
    }
});
