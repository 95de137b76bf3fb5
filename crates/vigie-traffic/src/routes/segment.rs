//! Which path segments are values, and which are names from the source code of the app.

/// Longer segments are values. It also bounds the memory of a literal in the tree.
const LONGEST_NAME: usize = 32;

/// From this length on, letters mixed with digits are an identifier (ULID, cuid, nanoid, base64url).
const SHORTEST_MIXED: usize = 10;

/// From this length on, hexadecimal digits are an identifier, not a word.
const SHORTEST_HEX: usize = 8;

/// Whether a segment looks like the value of a parameter: a number, date, UUID, hash, ULID, cuid, nanoid or e-mail
/// address, or anything that is not written in the characters of a plain name.
///
/// The tree finds other values (user names, slugs) by counting. A name must never look like a template, so it has no `*`,
/// braces or leading colon.
pub(super) fn is_value(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    if bytes.len() > LONGEST_NAME || !bytes.iter().all(|b| is_plain(*b)) {
        return true;
    }
    if bytes.starts_with(b":") || bytes.iter().skip(1).any(|b| *b == b'@') {
        return true;
    }
    let letters = bytes.iter().any(u8::is_ascii_alphabetic);
    let digits = bytes.iter().any(u8::is_ascii_digit);
    if digits && !letters {
        return true; // numbers, dates, coordinates
    }
    if bytes.len() >= SHORTEST_HEX && bytes.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    letters && digits && bytes.len() >= SHORTEST_MIXED && !is_version(bytes)
}

/// The characters of a path segment by RFC 3986, without `%` and `*`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte)
}

fn is_version(bytes: &[u8]) -> bool {
    matches!(bytes, [b'v' | b'V', digits @ ..] if digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for segment in [
            "0",
            "42",
            "-7",
            "3.14",
            "48.85,2.35",
            "192.168.0.1",
            "2024-01-31",
            "2024-01-31T10:00:00Z",
            "31-Jan-2024",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "F47AC10B58CC4372A5670E02B2C3D479",
            "deadbeef",
            "507f1f77bcf86cd799439011",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "cjld2cjxh0000qzrmn831i7rn",
            "V1StGXR8_Z5jdHi6B-myT",
            "aGVsbG8gd29ybGQ0",
            "alice@example.com",
            "a%20b",
            "100%",
            "café",
            "\u{7f}",
            "a\nb",
            "a b",
            "*",
            "a*",
            ":id",
            "{id}",
            "<other>",
            "a\"b",
            "a\\b",
            "this-segment-is-longer-than-a-name-is",
        ] {
            assert!(is_value(segment), "{segment:?}");
        }
    }

    #[test]
    fn names() {
        for segment in [
            "",
            "users",
            "v1",
            "V2",
            "v1234567890",
            "oauth2",
            "sha256sum",
            "facade",
            "alice",
            "how-to-cook-rice",
            "favicon.ico",
            "wp-login.php",
            "@alice",
            "books:batchGet",
            "_next",
            "well-known",
            "exactly-thirty-two-bytes-long-ok",
        ] {
            assert!(!is_value(segment), "{segment:?}");
        }
    }
}
