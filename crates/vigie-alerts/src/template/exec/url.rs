//! Escapes of Go's `net/url`, and the links to expressions.

use std::fmt::Write as _;

/// `url.QueryEscape`: all but letters, digits and `-_.~` as `%XX`, a space as `+`.
pub(super) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The path of the page that shows the graph of an expression.
pub(super) fn graph_link(expression: &str) -> String {
    link(expression, 0)
}

/// The path of the page that shows the result of an expression as a table.
pub(crate) fn table_link(expression: &str) -> String {
    link(expression, 1)
}

fn link(expression: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", query_escape(expression))
}

/// `url.QueryUnescape`: the reverse. Bytes that are not UTF-8 become replacement characters.
pub(super) fn query_unescape(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = after
                    .get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok());
                let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())
                else {
                    let wrong = String::from_utf8_lossy(&after[..after.len().min(2)]);
                    let wrong = super::quote(&format!("%{wrong}"));
                    return Err(format!("invalid URL escape {wrong}"));
                };
                bytes.push(byte);
                rest = &after[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
