//! Compressed bodies and frames.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

#[test]
fn compressed_answers() {
    let long = format!("40{}\x1e1", "x".repeat(3_000));
    ends(|wire| {
        for encoding in ["gzip", "deflate"] {
            let encode = |body: &str| {
                if encoding == "gzip" {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                    encoder.write_all(body.as_bytes()).unwrap();
                    encoder.finish().unwrap()
                } else {
                    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                    encoder.write_all(body.as_bytes()).unwrap();
                    encoder.finish().unwrap()
                }
            };
            for (query, body, left) in [(POLL, OPEN, 1), (OF_S, "4x\x1e4x", 1), (OF_S, &*long, 0)] {
                let (mut request, response) = wire.begin("GET", query);
                request.end();
                wire.answer(response, 200, Some(encoding), &encode(body));
                assert_eq!(wire.engineio.count(), left, "{encoding} {query}");
            }
        }
    });
    lives(|wire| {
        for (encoding, body) in [
            ("gzip", &b"not gzip"[..]),
            ("gzip", b""),
            ("deflate", b"6\x1e1"),
            ("br", b"1"),
        ] {
            let (mut request, response) = wire.begin("GET", OF_S);
            request.end();
            wire.answer(response, 200, Some(encoding), body);
        }
    });
}

#[test]
fn permessage_deflate() {
    let deflated = |text: &str| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.flush().unwrap();
        let bytes = encoder.get_ref().clone();
        assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]));
        bytes[..bytes.len() - 4].to_vec()
    };
    ends(|wire| {
        let mut tunnel = wire.ws(WS);
        wire.server(&mut tunnel, 0xc1, &deflated(OPEN));
        assert_eq!(wire.counts(), (0, 1));
        wire.server(&mut tunnel, 0xc1, &deflated("2"));
        wire.server(&mut tunnel, 0x88, b"");
        assert_eq!(wire.counts(), (0, 0));
    });
    ends(|wire| {
        wire.open();
        let mut tunnel = wire.ws(WS_OF_S);
        wire.client(&mut tunnel, 0xc1, &deflated("2probe"));
        wire.client(&mut tunnel, 0xc1, &deflated("5"));
        assert_eq!(wire.counts(), (0, 1));
        tunnel.end(wire.now());
    });
}
