//! Writes JSON directly into the response, escaped as in Prometheus.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use vigie_promql::Labels;

/// The headers of each response.
pub(crate) const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "application/json"),
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The start of each successful response.
pub(crate) const HEAD: &[u8] = br#"{"status":"success","data":"#;

/// The most bytes that one byte of a text becomes.
const LONGEST_ESCAPE: usize = 6;

/// The length of [`string`].
fn string_length(text: &str) -> usize {
    let escapes = text.chars().map(|c| match c {
        '\n' | '\r' | '\t' | '"' | '\\' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => LONGEST_ESCAPE,
        c if c < ' ' => LONGEST_ESCAPE,
        c => c.len_utf8(),
    });
    2 + escapes.sum::<usize>()
}

/// The length of [`labels`].
pub(crate) fn labels_length(labels: &Labels) -> usize {
    let each = labels
        .iter()
        .map(|(name, value)| string_length(name) + string_length(value) + 2);
    2 + each.sum::<usize>()
}

/// A length that [`labels`] does not exceed, found without looking at the texts.
pub(crate) fn longest_labels(labels: &Labels) -> usize {
    let each = labels
        .iter()
        .map(|(name, value)| LONGEST_ESCAPE * (name.len() + value.len()) + 6);
    2 + each.sum::<usize>()
}

/// A quoted string. `<`, `>` and `&` are escaped so that it may stand in HTML.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || "\"\\<>&\u{2028}\u{2029}".contains(c)) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some('\n') => out.extend_from_slice(b"\\n"),
            Some('\r') => out.extend_from_slice(b"\\r"),
            Some('\t') => out.extend_from_slice(b"\\t"),
            Some(c @ ('"' | '\\')) => out.extend_from_slice(&[b'\\', c as u8]),
            Some(c) => {
                out.extend_from_slice(b"\\u");
                let code = c as usize;
                let digits = [12, 8, 4, 0].map(|shift| HEX[code >> shift & 0xf]);
                out.extend_from_slice(&digits);
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// `{"__name__":"up","job":"api"}`.
pub(crate) fn labels(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b'{');
    list(out, labels.iter(), |out, (name, value)| {
        string(out, name);
        out.push(b':');
        string(out, value);
    });
    out.push(b'}');
}

/// `["a","b"]`.
pub(crate) fn strings<T: AsRef<str>>(out: &mut Vec<u8>, texts: impl IntoIterator<Item = T>) {
    out.push(b'[');
    list(out, texts, |out, text| string(out, text.as_ref()));
    out.push(b']');
}

/// The items, separated by commas.
pub(crate) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

/// Warnings and infos of a response.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    pub(crate) warnings: Vec<String>,
    pub(crate) infos: Vec<String>,
}

impl Remarks {
    /// The warning that `limit` omitted something.
    pub(crate) fn truncated(&mut self) {
        self.warnings.push("results truncated due to limit".into());
    }

    /// The end of the response after the data.
    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        for (key, texts) in [("warnings", &self.warnings), ("infos", &self.infos)] {
            if !texts.is_empty() {
                out.extend_from_slice(format!(",{key:?}:").as_bytes());
                strings(out, texts);
            }
        }
        out.push(b'}');
    }
}

/// A complete response with the data that `write` writes.
pub(crate) fn success(remarks: &Remarks, write: impl FnOnce(&mut Vec<u8>)) -> Response {
    let mut out = HEAD.to_vec();
    write(&mut out);
    remarks.end(&mut out);
    (HEADERS, out).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn escapes() {
        let mut out = Vec::new();
        string(&mut out, "q\"u\\o<>&é\n\r\t\u{1}\u{2028}\u{1f980}");
        let expected = r#""q\"u\\o\u003c\u003e\u0026é\n\r\t\u0001\u2028🦀""#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    proptest::proptest! {
        #[test]
        fn texts_round_trip(text in "(?s)(.|[\\x00-\\x20<>&\"\\\\\u{2027}-\u{2029}]){0,40}") {
            let mut out = Vec::new();
            string(&mut out, &text);
            let read: String = serde_json::from_slice(&out).unwrap();
            proptest::prop_assert_eq!(&read, &text);
            proptest::prop_assert_eq!(out.len(), string_length(&text));
            let set = Labels::new([("a", &*text), ("b", "c")]);
            out.clear();
            labels(&mut out, &set);
            proptest::prop_assert_eq!(out.len(), labels_length(&set) - 1);
            proptest::prop_assert!(out.len() <= longest_labels(&set));
        }
    }
}
