//! The escapes of values (`html/template/html.go`, `url.go`, `css.go`).

use std::fmt::Write as _;

use super::super::super::function::Function;
use super::super::builtin;
use super::super::url::query_escape;
use super::super::value::Value;
use super::place::Attribute;

/// The text that Go writes instead of an unsafe value.
const UNSAFE: &str = "ZgotmplZ";

/// A step of escaping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// In text.
    Html,
    /// In a title or text area.
    RawText,
    /// In a value with quotes.
    Attribute,
    /// In a value without quotes.
    Unquoted,
    /// As the name of an attribute.
    Name,
    /// In a comment: nothing is written.
    Comment,
    /// At the start of a URL: only some schemes are written.
    UrlFilter,
    /// In a URL before its query.
    UrlNormal,
    /// In the query of a URL.
    UrlQuery,
    /// In a style.
    Css,
    /// The function `html` of the template.
    FunctionHtml,
    /// The function `urlquery` of the template.
    FunctionUrlquery,
}

impl Escape {
    /// The escape that a function of the template does.
    pub(super) fn of_function(function: Function) -> Self {
        match function {
            Function::Urlquery => Self::FunctionUrlquery,
            _ => Self::FunctionHtml,
        }
    }

    /// Whether `function`, the escape of a function of the template, replaces it.
    pub(super) fn is_replaced_by(self, function: Self) -> bool {
        match function {
            Self::FunctionHtml => matches!(self, Self::Html | Self::RawText | Self::Attribute),
            _ => matches!(self, Self::UrlNormal | Self::UrlQuery),
        }
    }

    /// The escaped text of a value, whose type decides whether it is safe already.
    pub(super) fn apply(self, text: &str, value: &Value) -> String {
        let is_html = matches!(value, Value::Html(_));
        let is_url = matches!(value, Value::Url(_));
        match self {
            Self::Html if is_html => text.to_owned(),
            Self::RawText if is_html => replace(text, quoted_again, true),
            Self::Html | Self::RawText => replace(text, quoted, true),
            Self::Attribute if is_html => replace(&without_tags(text), quoted_again, false),
            Self::Attribute => replace(text, quoted, true),
            Self::Unquoted if text.is_empty() => UNSAFE.to_owned(),
            Self::Unquoted if is_html => replace(&without_tags(text), unquoted_again, false),
            Self::Unquoted => replace(text, unquoted, false),
            Self::Name => name(text),
            Self::Comment => String::new(),
            Self::UrlFilter if is_url || is_safe_url(text) => text.to_owned(),
            Self::UrlFilter => format!("#{UNSAFE}"),
            Self::UrlNormal => url(text, true),
            Self::UrlQuery => url(text, is_url),
            Self::Css => style(text),
            Self::FunctionHtml => builtin::html(text),
            Self::FunctionUrlquery => query_escape(text),
        }
    }
}

/// Replaces characters. Unassigned code points stay as they are only if `keeps` is true.
fn replace(text: &str, replacement: fn(char) -> Option<&'static str>, keeps: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (replacement(c), c) {
            (Some(text), _) => out.push_str(text),
            (None, '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}') if !keeps => {
                let _ = write!(out, "&#x{:x};", u32::from(c));
            }
            (None, c) => out.push(c),
        }
    }
    out
}

fn quoted(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        c => quoted_again(c),
    }
}

/// For HTML, whose references stay.
fn quoted_again(c: char) -> Option<&'static str> {
    Some(match c {
        '\0' => "\u{fffd}",
        '"' => "&#34;",
        '\'' => "&#39;",
        '+' => "&#43;",
        '<' => "&lt;",
        '>' => "&gt;",
        _ => return None,
    })
}

fn unquoted(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        c => unquoted_again(c),
    }
}

fn unquoted_again(c: char) -> Option<&'static str> {
    Some(match c {
        '\0' => "&#xfffd;",
        '\t' => "&#9;",
        '\n' => "&#10;",
        '\u{b}' => "&#11;",
        '\u{c}' => "&#12;",
        '\r' => "&#13;",
        ' ' => "&#32;",
        '=' => "&#61;",
        '`' => "&#96;",
        c => return quoted_again(c),
    })
}

/// HTML without its tags and comments.
fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        let inside = &rest[open + 1..];
        let end = match inside.strip_prefix("!--") {
            Some(comment) => comment.find("-->").map(|end| end + 6),
            None if inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') => {
                inside.find('>').map(|end| end + 1)
            }
            None => {
                out.push_str(&rest[..=open]);
                rest = inside;
                continue;
            }
        };
        out.push_str(&rest[..open]);
        rest = end.map_or("", |end| &inside[end..]);
    }
    out + rest
}

/// A value as the name of an attribute: lower-case letters and digits without a special meaning.
fn name(text: &str) -> String {
    let name = text.to_lowercase();
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match !name.is_empty() && is_plain && Attribute::may_be_named(&name) {
        true => name,
        false => UNSAFE.to_owned(),
    }
}

/// Whether a URL has no scheme or one that runs nothing.
fn is_safe_url(url: &str) -> bool {
    match url.split_once(':') {
        Some((scheme, _)) if !scheme.contains('/') => {
            let safe = ["http", "https", "mailto"];
            safe.iter().any(|safe| scheme.eq_ignore_ascii_case(safe))
        }
        _ => true,
    }
}

/// A URL in which bytes are escaped; `keeps` leaves delimiters and escapes as they are.
fn url(text: &str, keeps: bool) -> String {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut out = String::with_capacity(text.len());
    for (at, byte) in bytes.iter().enumerate() {
        let stays = match byte {
            b'-' | b'.' | b'_' | b'~' => true,
            b'%' => keeps && is_hex(at + 1) && is_hex(at + 2),
            byte if b"!#$&*+,/:;=?@[]".contains(byte) => keeps,
            byte => byte.is_ascii_alphanumeric(),
        };
        match stays {
            true => out.push(char::from(*byte)),
            false => {
                let _ = write!(out, "%{byte:02x}");
            }
        }
    }
    out
}

/// A value in a style: words, numbers and units.
fn style(text: &str) -> String {
    let is_unsafe = |c: char| "\0\"'()/;@[\\]`{}<>".contains(c);
    let word: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    let word = word.to_ascii_lowercase();
    let runs = ["expression", "mozbinding"];
    let is_unsafe = text.contains(is_unsafe)
        || text.contains("--")
        || runs.iter().any(|part| word.replace('-', "").contains(part));
    match is_unsafe {
        true => UNSAFE.to_owned(),
        false => text.to_owned(),
    }
}
