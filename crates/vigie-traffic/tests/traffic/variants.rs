//! The variants of request smuggling in `smuggling.txt`. The tests of the gateway use them too.

use crate::notes::unescape;

pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// The number of requests that pass.
    pub(crate) passes: Option<usize>,
    /// The name of a fault, otherwise.
    pub(crate) fault: &'static str,
    pub(crate) input: Vec<u8>,
}

pub(crate) const HIDDEN: &[u8] = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\n";

pub(crate) fn variants() -> Vec<Variant> {
    let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
    let mut prefix = "";
    let mut variants = Vec::new();
    let lines = include_str!("smuggling.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix('[') {
            prefix = match section.split(']').next() {
                Some("lengths") => POST,
                Some("chunks") => &chunked,
                _ => "",
            };
            continue;
        }
        let parts: Vec<&str> = line.splitn(3, " | ").collect();
        let [name, expected, bytes] = parts[..] else {
            panic!("not a variant: {line}")
        };
        let passes = expected.parse().ok();
        // A head that never ends hides nothing.
        let hidden = if passes == Some(0) { b"" } else { HIDDEN };
        variants.push(Variant {
            name,
            passes,
            fault: expected,
            input: [prefix.as_bytes(), &unescape(bytes), hidden].concat(),
        });
    }
    variants
}
