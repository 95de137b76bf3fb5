#![allow(clippy::unwrap_used)]
use super::*;

fn addresses(source: &str, destination: &str) -> Addresses {
    Addresses {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

fn line(text: &str) -> Result<Option<Header>, Invalid> {
    parse(text.as_bytes())
}

#[test]
fn what_is_written_is_read_again_however_it_is_divided() {
    let v4 = addresses("203.0.113.7:4711", "10.0.0.1:80");
    let v6 = addresses("[2001:db8::7]:65535", "[2001:db8::1]:443");
    for version in [Version::V1, Version::V2] {
        for addresses in [v4, v6] {
            let header = header(version, &addresses);
            for length in 0..header.len() {
                assert_eq!(parse(&header[..length]), Ok(None), "{length}");
            }
            let expected = Header {
                length: header.len(),
                addresses: Some(addresses),
            };
            let with_more = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(parse(&with_more), Ok(Some(expected)));
        }
    }
}

#[test]
fn the_header_of_the_specification_is_written() {
    let text = header(
        Version::V1,
        &addresses("192.168.0.1:56324", "192.168.0.11:443"),
    );
    assert_eq!(text, b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
    let mixed = addresses("[::ffff:192.0.2.1]:1", "[::1]:2");
    let text = header(Version::V1, &mixed);
    assert_eq!(text, b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n");
    let mapped = addresses("[::ffff:192.0.2.1]:1", "192.0.2.2:2");
    assert_eq!(
        header(Version::V1, &mapped),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
    );
}

#[test]
fn headers_without_a_client_are_accepted() {
    for text in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"] {
        let length = text.len();
        let header = Header {
            length,
            addresses: None,
        };
        assert_eq!(line(text), Ok(Some(header)));
    }
    // A health check of the proxy, a Unix socket, and an unspecified family, with further values.
    for (command, family) in [(0x20, 0x11), (0x21, 0x31), (0x21, 0x00)] {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family, 0, 3, 4, 0, 0]);
        let header = Header {
            length: 19,
            addresses: None,
        };
        assert_eq!(parse(&bytes), Ok(Some(header)));
    }
}

#[test]
fn everything_else_is_refused() {
    for text in [
        "GET / HTTP/1.1\r\n",
        "PROXX",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
        "PROXY TCP4 1.1.1.01 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n\r\n",
        "\r\n\r\n\0\r\nQUIX",
    ] {
        assert_eq!(line(text), Err(Invalid), "{text:?}");
    }
    let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
    assert_eq!(line(&long), Err(Invalid));
    for (command, family, length) in [
        (0x11, 0x11, 12),
        (0x22, 0x11, 12),
        (0x21, 0x41, 12),
        (0x21, 0x11, 11),
        (0x21, 0x21, 35),
        (0x21, 0x11, 4097),
    ] {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::to_be_bytes(length));
        bytes.extend(vec![0; usize::from(length)]);
        assert_eq!(
            parse(&bytes),
            Err(Invalid),
            "{command:x} {family:x} {length}"
        );
    }
}
