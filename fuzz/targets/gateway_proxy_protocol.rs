//! Any bytes before a connection are a header of the PROXY protocol, incomplete or refused; and the result does not depend on how
//! they are divided.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_gateway::proxy_protocol::{MAX_HEADER, Version, header, parse};

fuzz_target!(|bytes: &[u8]| {
    let first = (0..=bytes.len()).find_map(|length| match parse(&bytes[..length]) {
        Ok(None) => None,
        decided => Some((length, decided)),
    });
    let Some((length, decided)) = first else {
        assert!(bytes.len() < MAX_HEADER);
        assert_eq!(parse(bytes), Ok(None));
        return;
    };
    assert!(length <= MAX_HEADER);
    assert_eq!(parse(bytes), decided);
    let Ok(Some(read)) = decided else { return };
    assert_eq!(read.length, length);
    if let Some(addresses) = read.addresses {
        for version in [Version::V1, Version::V2] {
            let written = header(version, &addresses);
            let again = parse(&written).unwrap().unwrap();
            assert_eq!(again.length, written.len());
            let again = again.addresses.unwrap();
            for (read, again) in [
                (addresses.source, again.source),
                (addresses.destination, again.destination),
            ] {
                assert_eq!(read.ip().to_canonical(), again.ip().to_canonical());
                assert_eq!(read.port(), again.port());
            }
        }
    }
});
