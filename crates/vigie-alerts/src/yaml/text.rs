//! A text with a mapping of its bytes to the file.

use saphyr_parser::ScalarStyle;

use crate::finding::Span;

/// A text of a rule file. Quotes, escapes, line folding and indentation are removed from the value; spans in it can
/// be mapped to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    value: String,
    span: Span,
    plain: bool,
    /// For each byte of `value`, the position of its character in the file.
    origin: Vec<Span>,
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.value
    }
}

impl Text {
    pub(super) fn new(value: String, file: &str, span: Span, style: ScalarStyle) -> Self {
        let start = begin(file, &span, style);
        let quotes = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
            _ => 0,
        };
        let origin = align(&value, file, start + quotes..span.end, style);
        // The parser's span extends over comments and indentation to the next token.
        let written = value.trim_end().len().checked_sub(1);
        let last = written.and_then(|last| origin.get(last));
        let mut end = last.map_or(start + quotes, |span| span.end);
        if quotes > 0 {
            let rest = file.get(end..span.end).unwrap_or_default();
            end += rest.find(['\'', '"']).map_or(0, |at| at + 1);
        }
        Self {
            value,
            span: start..end,
            plain: style == ScalarStyle::Plain,
            origin,
        }
    }

    /// Whether it is a plain scalar: only then can YAML interpret it as a number or a merge key.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// The position of the whole text, including quotes.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The position of the bytes `part` of the text.
    #[must_use]
    pub fn locate(&self, part: Span) -> Span {
        let first = self.origin.get(part.start);
        let start = first.map_or(self.end(), |span| span.start);
        let last = part.end.checked_sub(1).and_then(|at| self.origin.get(at));
        match last {
            Some(last) if part.end > part.start => start..last.end.max(start),
            _ => start..start,
        }
    }

    fn end(&self) -> usize {
        self.origin.last().map_or(self.span.start, |span| span.end)
    }
}

/// The start of a scalar after its anchor and tag, and of a block after its header.
fn begin(file: &str, span: &Span, style: ScalarStyle) -> usize {
    let whole = file.get(span.clone()).unwrap_or_default();
    let mut rest = whole;
    while rest.starts_with(['&', '!']) {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest[word..].trim_start();
    }
    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
        // Without properties the span of a block starts with its text, which may resemble properties.
        rest = match rest.find('\n') {
            Some(line) if rest.len() < whole.len() && rest.starts_with(['|', '>']) => &rest[line..],
            _ => whole,
        };
    }
    span.end - rest.len()
}

/// Locates each character of `value` in `file[inside]`, from left to right, skipping what YAML removed: escapes,
/// doubled quotes, line breaks and indentation.
fn align(value: &str, file: &str, inside: Span, style: ScalarStyle) -> Vec<Span> {
    let source = file.get(inside.clone()).unwrap_or_default();
    let mut at = 0;
    let mut origin = Vec::with_capacity(value.len());
    for wanted in value.chars() {
        let found = next(source, at, wanted, style);
        at = found.end;
        let place = inside.start + found.start..inside.start + found.end;
        origin.extend(std::iter::repeat_n(place, wanted.len_utf8()));
    }
    origin
}

/// The range of `source` at or after `at` that encodes `wanted`; empty if there is none.
fn next(source: &str, at: usize, wanted: char, style: ScalarStyle) -> Span {
    let mut from = at;
    while let Some(found) = source[from..].chars().next() {
        let end = from + found.len_utf8();
        if style == ScalarStyle::DoubleQuoted && found == '\\' {
            let rest = &source[end..];
            match rest.chars().next() {
                // A line continuation.
                Some('\n' | '\r') => from = end,
                _ => return from..escape_end(source, end),
            }
        } else if style == ScalarStyle::SingleQuoted && found == '\'' {
            // Always a doubled quote: a single one would have ended the text.
            return from..source.len().min(end + 1);
        } else if found == wanted || (found.is_whitespace() && wanted.is_whitespace()) {
            return from..end;
        } else if found.is_whitespace() {
            from = end;
        } else {
            break;
        }
    }
    at..at
}

fn escape_end(source: &str, after_backslash: usize) -> usize {
    let digits = match source[after_backslash..].chars().next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(other) => return after_backslash + other.len_utf8(),
        None => return source.len(),
    };
    let end = source.len().min(after_backslash + 1 + digits);
    source.ceil_char_boundary(end)
}
