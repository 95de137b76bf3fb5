//! Masks the configuration file for messages: everything that may be a secret is covered.
//!
//! Only text known to be harmless is shown. Masked text keeps its length and its line breaks, so that lines and
//! columns remain correct.

use crate::given::{Span, may_hide_secret};

const COVER: &[u8] = b"***";

/// Masks `values` and every comment of a text that parsed; `names` are the places of its keys.
pub(crate) fn parsed(text: &str, values: &[Span], names: &[Span], secrets: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut solid: Vec<&Span> = values.iter().chain(names).collect();
    solid.sort_by_key(|span| span.start);
    // A `#` outside of keys and values starts a comment.
    let mut solid = solid.into_iter().peekable();
    let mut at = 0;
    while at < bytes.len() {
        while solid.peek().is_some_and(|span| span.end <= at) {
            solid.next();
        }
        if let Some(span) = solid.peek().filter(|span| span.contains(&at)) {
            at = span.end;
        } else if bytes[at] == b'#' {
            let end = line_end(text, at);
            bytes[at..end].fill(b' ');
            at = end;
        } else {
            at += 1;
        }
    }
    for secret in secrets {
        cover(&mut bytes, secret.clone());
    }
    into_text(bytes)
}

/// Masks a text that did not parse: only section headers and lines `key = value` with keys known to be public are
/// shown.
pub(crate) fn broken(text: &str, is_public: impl Fn(&str) -> bool) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value)),
            None => (line.trim(), None),
        };
        let header = value.is_none()
            && name.starts_with('[')
            && !name.contains(['#', '"', '\''])
            && !may_hide_secret(name);
        let harmless = value.is_some_and(|value| {
            !value.contains(['=', '#', '{']) && !may_hide_secret(value.trim())
        });
        if header || (harmless && is_public(name)) {
            // Shown unchanged.
        } else if value.is_some() && is_plain(name) {
            let equals = start + line.find('=').unwrap_or(0);
            let blanks = text[equals + 1..end].len() - text[equals + 1..end].trim_start().len();
            cover(&mut bytes, equals + 1 + blanks..end);
        } else {
            let blanks = line.trim_end().len() - line.trim().len();
            cover(&mut bytes, start + blanks..end);
        }
        start += line.len();
    }
    into_text(bytes)
}

/// Whether `name` is a bare key, possibly dotted, which may be shown.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The part of `span` to point at when the span is masked.
pub(crate) fn shrink(span: Span) -> Span {
    span.start..span.end.min(span.start + COVER.len())
}

fn cover(bytes: &mut [u8], span: Span) {
    for (at, byte) in bytes[span].iter_mut().enumerate() {
        if *byte != b'\n' {
            *byte = *COVER.get(at).unwrap_or(&b' ');
        }
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at)
}

/// Spans start and end between characters, so this never replaces anything.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
