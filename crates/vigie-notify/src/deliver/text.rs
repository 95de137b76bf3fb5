//! Texts within the limits of receivers, and escaped for their markup.

use std::borrow::Cow;
use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation as _;

/// The mark at the end of a shortened text.
const MARK: &str = "…";

/// The unit of a receiver's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Chars,
    /// UTF-16 code units, of which a character has one or two.
    Utf16,
}

impl Unit {
    pub(super) fn measure(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

/// The parts of a text that are not cut in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// Characters as the reader sees them.
    Plain,
    /// Also `&amp;` and `<https://…|…>`.
    Slack,
    /// Also `&amp;` and tags, and every open element is closed.
    Html,
}

/// At most `limit` units of a text. A shortened one ends with a mark.
pub(super) fn fit(text: &str, limit: usize, unit: Unit, markup: Markup) -> Cow<'_, str> {
    if unit.measure(text) <= limit {
        return Cow::Borrowed(text);
    }
    let mark = unit.measure(MARK);
    if limit < mark {
        return Cow::Borrowed("");
    }
    let mut open = Open::default();
    let (mut kept, mut length) = (0, 0);
    // The longest beginning after which the mark and the end tags fit.
    let mut best = 0;
    for piece in pieces(text, markup) {
        length += unit.measure(piece);
        kept += piece.len();
        if length > limit {
            break;
        }
        if markup == Markup::Html {
            open.follow(piece);
        }
        if length + mark + open.closing(unit) <= limit {
            best = kept;
        }
    }
    let kept = &text[..best];
    let mut shortened = kept.trim_end().to_owned();
    shortened.push_str(MARK);
    if markup == Markup::Html {
        let mut open = Open::default();
        pieces(kept, markup).for_each(|piece| open.follow(piece));
        for name in open.names.iter().rev() {
            shortened.push_str("</");
            shortened.push_str(name);
            shortened.push('>');
        }
    }
    Cow::Owned(shortened)
}

/// The text in parts that are kept or dropped as a whole.
fn pieces(text: &str, markup: Markup) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = match (markup, rest.as_bytes().first()?) {
            (Markup::Slack | Markup::Html, b'<') => tag(rest),
            (Markup::Slack | Markup::Html, b'&') => entity(rest),
            _ => None,
        };
        let grapheme = || rest.graphemes(true).next().map_or(rest.len(), str::len);
        let (piece, after) = rest.split_at(length.unwrap_or_else(grapheme));
        rest = after;
        Some(piece)
    })
}

/// The length of a tag or link at the beginning of a text.
fn tag(text: &str) -> Option<usize> {
    const LONGEST: usize = 2048;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b'>')?;
    Some(end + 1)
}

/// The length of `&name;` or `&#123;` at the beginning of a text.
fn entity(text: &str) -> Option<usize> {
    const LONGEST: usize = 10;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'#';
    (!name.is_empty() && name.bytes().all(known)).then_some(end + 1)
}

/// The elements of HTML that are open, from the outermost. A piece is followed in constant time on average.
#[derive(Default)]
struct Open<'a> {
    names: Vec<&'a str>,
    /// How many of them have this name, in lower case.
    counts: HashMap<String, usize>,
    /// The length of their names, which are ASCII: the same in every unit.
    length: usize,
}

impl<'a> Open<'a> {
    /// The length of the end tags.
    fn closing(&self, unit: Unit) -> usize {
        self.names.len() * unit.measure("</>") + self.length
    }

    fn follow(&mut self, piece: &'a str) {
        let tag = piece.strip_prefix('<');
        let Some(tag) = tag.and_then(|tag| tag.strip_suffix('>')) else {
            return;
        };
        if let Some(name) = tag.strip_prefix('/') {
            self.close(name.trim());
        } else if !tag.ends_with('/') {
            let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let name = &tag[..end.unwrap_or(tag.len())];
            if !name.is_empty() && !name.eq_ignore_ascii_case("br") {
                self.names.push(name);
                self.length += name.len();
                *self.counts.entry(name.to_ascii_lowercase()).or_default() += 1;
            }
        }
    }

    /// Ends the innermost element with this name, and those within it.
    fn close(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if self.counts.get(&name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(inner) = self.names.pop() {
            self.length -= inner.len();
            let inner = inner.to_ascii_lowercase();
            let is_it = inner == name;
            self.counts.entry(inner).and_modify(|count| *count -= 1);
            if is_it {
                break;
            }
        }
    }
}

/// The beginning of an external text in one line, for an error or a log.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    fit(&words.join(" "), limit, Unit::Chars, Markup::Plain).into_owned()
}

/// Bytes as two lower-case hexadecimal digits each.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Slack's escapes.
pub(super) fn slack(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}

/// The escapes of Telegram's MarkdownV2.
pub(super) fn markdown_v2(text: &str) -> String {
    with_backslashes(text, "_*[]()~`>#+-=|{}.!\\")
}

/// The escapes of Telegram's older Markdown.
pub(super) fn markdown(text: &str) -> String {
    with_backslashes(text, "_*`[")
}

fn with_backslashes(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shortened_texts() {
        for (text, limit, unit, markup, expected) in [
            ("short", 5, Unit::Chars, Markup::Plain, "short"),
            ("shorter", 5, Unit::Chars, Markup::Plain, "shor…"),
            ("no end", 4, Unit::Chars, Markup::Plain, "no…"),
            ("éé", 3, Unit::Bytes, Markup::Plain, "…"),
            ("ééé", 5, Unit::Bytes, Markup::Plain, "é…"),
            ("abc", 2, Unit::Bytes, Markup::Plain, ""),
            ("😀😀😀", 5, Unit::Utf16, Markup::Plain, "😀😀…"),
            // A family of four is one character to the reader.
            ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 8, Unit::Chars, Markup::Plain, "👨‍👩‍👧‍👦…"),
            ("a&amp;b", 5, Unit::Chars, Markup::Plain, "a&am…"),
            ("a&amp;b", 5, Unit::Chars, Markup::Slack, "a…"),
            ("a&amp;bcd", 8, Unit::Chars, Markup::Slack, "a&amp;b…"),
            ("a & b & c", 4, Unit::Chars, Markup::Slack, "a &…"),
            (
                "see <http://x|y> and",
                15,
                Unit::Chars,
                Markup::Slack,
                "see…",
            ),
            ("a < b, b > c", 3, Unit::Chars, Markup::Plain, "a…"),
            (
                "<b>bold text</b>",
                13,
                Unit::Chars,
                Markup::Html,
                "<b>bold…</b>",
            ),
            (
                "<b><i>xyz</i></b>z",
                16,
                Unit::Chars,
                Markup::Html,
                "<b><i>x…</i></b>",
            ),
            (
                "<b><i><u>x</B>yzzzz",
                16,
                Unit::Chars,
                Markup::Html,
                "<b><i><u>x</B>y…",
            ),
            (
                "<b>x</i>yz</b>zz",
                14,
                Unit::Chars,
                Markup::Html,
                "<b>x</i>y…</b>",
            ),
            ("x<br>yzz<br/>z", 9, Unit::Chars, Markup::Html, "x<br>yzz…"),
            (
                "<a href=\"u\">link</a> and more",
                20,
                Unit::Chars,
                Markup::Html,
                "<a href=\"u\">lin…</a>",
            ),
        ] {
            assert_eq!(fit(text, limit, unit, markup), expected, "{text} {limit}");
        }
    }

    #[test]
    fn excerpts() {
        assert_eq!(excerpt(" a\r\n\tb\u{0}c ", 9), "a b c");
        assert_eq!(excerpt("no such team", 7), "no suc…");
    }

    #[test]
    fn escapes() {
        assert_eq!(slack("a & <b>"), "a &amp; &lt;b&gt;");
        assert_eq!(markdown_v2("a.b_c"), "a\\.b\\_c");
    }

    proptest! {
        #[test]
        fn a_text_fits(text in "(\\PC|[<>&;/ab]|&amp;|<b>|</b>|<i>|</i>){0,60}", limit in 0..80_usize) {
            for unit in [Unit::Bytes, Unit::Chars, Unit::Utf16] {
                for markup in [Markup::Plain, Markup::Slack, Markup::Html] {
                    let fitted = fit(&text, limit, unit, markup);
                    prop_assert!(unit.measure(&fitted) <= limit, "{fitted}");
                    let begins = fitted.strip_suffix(MARK).is_none_or(|kept| text.starts_with(kept));
                    prop_assert!(markup == Markup::Html || begins, "{fitted}");
                }
            }
        }

        #[test]
        fn escaped_text_stays_escaped(text in "[a&<>é ]{0,40}", limit in 1..60_usize) {
            let escaped = slack(&text);
            let fitted = fit(&escaped, limit, Unit::Chars, Markup::Slack);
            let whole = fitted.strip_suffix(MARK).unwrap_or(&fitted);
            let back = whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            prop_assert!(text.starts_with(&back), "{fitted}");
        }
    }
}
