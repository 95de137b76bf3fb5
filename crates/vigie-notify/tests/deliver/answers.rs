//! Any answer of a server.

use proptest::prelude::*;

use crate::support::any_answer;

/// Lines of SMTP and heads of HTTP, whole and broken.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"220 mail\r\n".to_vec()),
        Just(
            b"250-mail\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"
                .to_vec()
        ),
        Just(b"334 PDEyMz4=\r\n".to_vec()),
        Just(b"235 in\r\n250 OK\r\n250 OK\r\n354 go\r\n250 queued\r\n".to_vec()),
        Just(b"535 xyzzy-plugh-secret\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()),
        Just(b"HTTP/1.1 429 Slow\r\nretry-after: 3\r\n\r\n{\"retry_after\": 1e99}".to_vec()),
        Just(
            b"HTTP/1.1 307 There\r\nlocation: /xyzzy-plugh-secret\r\ncontent-length: 0\r\n\r\n"
                .to_vec()
        ),
        Just(b"HTTP/1.1 500 No\r\n\r\nxyzzy-plugh-secret".to_vec()),
        Just(b"HTTP/1.0 200 OK\r\n\r\n{\"ok\": false, \"parameters\": []}".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
        "[ -~\r\n]{0,60}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_delivery_ends_whatever_the_answer(first in any::<u8>(), rest in pieces()) {
        any_answer(&[&[first], &rest[..]].concat());
    }
}
