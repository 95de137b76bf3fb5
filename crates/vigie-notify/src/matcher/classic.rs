//! The older syntax: the name is a classic label name; the value is anything up to the next comma, in double quotes or not.

use super::{MatchOp, Matcher};

/// The matchers; `None` where the syntax does not accept the text.
pub(super) fn parse(text: &str) -> Option<Vec<Matcher>> {
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.strip_suffix('}').unwrap_or(text);
    split(text).into_iter().map(matcher).collect()
}

/// The parts between commas that stand outside of quotes. Nothing behind the last comma is no part.
fn split(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
                // A comma neither ends nor starts an escape.
                continue;
            }
            // Within quotes a comma leaves an escape as it is, too.
            ',' => {}
            '"' if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// One matcher.
pub(super) fn matcher(text: &str) -> Option<Matcher> {
    let text = text.trim_matches(is_space);
    let name = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    if name == 0 || text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (name, rest) = text.split_at(name);
    let rest = rest.trim_start_matches(is_space);
    let ops = [
        ("=~", MatchOp::Match),
        ("=", MatchOp::Equal),
        ("!=", MatchOp::NotEqual),
        ("!~", MatchOp::NotMatch),
    ];
    let (op, value) = ops
        .iter()
        .find_map(|(text, op)| Some((*op, rest.strip_prefix(text)?)))?;
    Matcher::new(name, op, value_of(value.trim_start_matches(is_space))?).ok()
}

/// `\s` of a regular expression.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// The value without quotes and escapes: `\n`, `\"` and `\\`; any other backslash stands for itself.
fn value_of(raw: &str) -> Option<String> {
    let (raw, mut open) = match raw.strip_prefix('"') {
        Some(raw) => (raw, true),
        None => (raw, false),
    };
    let mut value = String::with_capacity(raw.len());
    let mut escaped = false;
    for (at, c) in raw.char_indices() {
        let last = at + 1 == raw.len();
        match c {
            'n' if escaped => value.push('\n'),
            '"' | '\\' if escaped => value.push(c),
            c if escaped => {
                value.push('\\');
                value.push(c);
            }
            '\\' if !last => {
                escaped = true;
                continue;
            }
            '"' if open && last => open = false,
            '"' => return None,
            c => value.push(c),
        }
        escaped = false;
    }
    (!open).then_some(value)
}
