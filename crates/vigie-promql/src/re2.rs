//! Regular expressions in RE2's syntax, as Prometheus has them, for the `regex` crate.
//!
//! The two differ in a few places where a pattern would be refused or, worse, mean something else: `\d`, `\s`, `\w` and
//! `\b` are about ASCII in RE2 and about all of Unicode in `regex`; `{` that starts no repetition is a plain character; and
//! a class knows no classes inside, nor `&&`, `--` and `~~`.

use std::{iter::Peekable, str::Chars};

use regex::{Regex, RegexBuilder};

/// Compiled expressions larger than this are refused, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// The expression over a whole value, with `.` for newlines too, as Prometheus compiles matchers.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(crate) fn anchored(pattern: &str) -> Result<Regex, String> {
    let pattern = format!("^(?s:{})$", translate(pattern));
    let built = RegexBuilder::new(&pattern).size_limit(MOST_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "this regular expression is too large".to_owned(),
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            format!("invalid regular expression: {reason}")
        }
    })
}

/// RE2's syntax in that of the `regex` crate. What is wrong stays wrong.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, &mut out),
            '[' => class(&mut rest, &mut out),
            '{' if !is_repetition(rest.clone()) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    out
}

/// `3}`, `3,}` or `3,5}`.
fn is_repetition(mut rest: Peekable<Chars<'_>>) -> bool {
    let digits = |rest: &mut Peekable<Chars<'_>>| {
        let mut count = 0;
        while rest.next_if(char::is_ascii_digit).is_some() {
            count += 1;
        }
        count
    };
    if digits(&mut rest) == 0 {
        return false;
    }
    if rest.next_if_eq(&',').is_some() {
        digits(&mut rest);
    }
    rest.next() == Some('}')
}

/// What follows a backslash outside of a class.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match rest.next() {
        Some('Q') => quoted(rest, out),
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('B') => out.push_str("(?-u:\\B)"),
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') => out.push_str("[\\t\\n\\f\\r ]"),
        Some('S') => out.push_str("[^\\t\\n\\f\\r ]"),
        Some(c @ ('<' | '>')) => out.push(c),
        Some('x') => hexadecimal(rest, out),
        Some(c @ ('p' | 'P')) => property(c, rest, out),
        Some(c) => {
            out.push('\\');
            out.push(c);
        }
        None => out.push('\\'),
    }
}

/// `\Q…\E`: everything between is plain.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(c) = rest.next() {
        if c == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }
}

/// `\x7F` or `\x{10FFFF}`: braces here are no repetition.
fn hexadecimal(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push_str("\\x");
    braced(rest, out);
}

/// `\pL` or `\p{Greek}`.
fn property(kind: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('\\');
    out.push(kind);
    braced(rest, out);
}

fn braced(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    if rest.next_if_eq(&'{').is_some() {
        out.push('{');
        for c in rest.by_ref() {
            out.push(c);
            if c == '}' {
                break;
            }
        }
    }
}

/// A class, from behind its `[` on.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(c) = rest.next() {
        match c {
            ']' if !first => {
                out.push(']');
                return;
            }
            '[' if rest.peek() == Some(&':') => named(rest, out),
            '-' if first || rest.peek() == Some(&']') => out.push_str("\\-"),
            '-' => {
                // The middle of a range: what follows is its end, be it a `-` itself.
                out.push('-');
                if let Some(end) = rest.next() {
                    member(end, rest, out);
                }
            }
            c => member(c, rest, out),
        }
        first = false;
    }
}

/// `[:alpha:]`, from behind its `[` on; a plain `[` where it does not end so.
fn named(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let ahead: String = rest.clone().take(16).collect();
    match ahead.find(":]") {
        Some(end) if end > 0 => {
            out.push('[');
            out.push_str(&ahead[..end + 2]);
            for _ in ahead[..end + 2].chars() {
                rest.next();
            }
        }
        _ => out.push_str("\\["),
    }
}

/// A character of a class.
fn member(c: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match c {
        '\\' => match rest.next() {
            Some('d') => out.push_str("0-9"),
            Some('w') => out.push_str("0-9A-Za-z_"),
            Some('s') => out.push_str("\\t\\n\\f\\r "),
            Some('D') => out.push_str("[^0-9]"),
            Some('W') => out.push_str("[^0-9A-Za-z_]"),
            Some('S') => out.push_str("[^\\t\\n\\f\\r ]"),
            Some(c @ ('<' | '>')) => out.push(c),
            Some('x') => hexadecimal(rest, out),
            Some(c @ ('p' | 'P')) => property(c, rest, out),
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        },
        '[' | ']' | '&' | '~' | '-' | '^' => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_re2() {
        for (pattern, yes, no) in [
            (r"\d+", "12", "١٢"),
            (r"\w+", "a_1", "é"),
            (r"\s", "\t", "\u{a0}"),
            (r"\D\W\S", "aéb", "1éb"),
            (r"[\d\w]+", "a1", "é"),
            (r"[^\D]", "1", "a"),
            (r".\bé", "aé", " é"),
            ("/api/{id}", "/api/{id}", "/api/id"),
            ("a{2}", "aa", "a{2}"),
            ("a{2,}b{1,2}", "aaab", "ab"),
            ("a{,2}", "a{,2}", "aa"),
            ("x{y", "x{y", "x"),
            ("[[]", "[", "a"),
            ("[a&&b]", "&", "c"),
            ("[a~~b]", "~", "c"),
            ("[+--]", ",", "a"),
            ("[a-]", "-", "b"),
            ("[-a]", "-", "b"),
            ("[]a]", "]", "b"),
            ("[^]a]", "b", "]"),
            ("[a^]", "^", "b"),
            ("[[:alpha:]]+", "ab", "1"),
            ("[[:^alpha:]_]+", "1_", "a"),
            (r"\Qa.b\E+", "a.bb", "acb"),
            (r"\Q[{", "[{", "["),
            (r"\<b\>", "<b>", "b"),
            (r"[\<]", "<", "b"),
            (r"\x41\x{42}", "AB", "ab"),
            (r"\p{Greek}\pL", "αb", "bα"),
            ("(?i:abc)", "ABC", "ABCD"),
            ("a.b", "a\nb", "ab"),
            ("a|b", "b", "ab"),
            ("", "", "a"),
        ] {
            let regex = anchored(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(regex.is_match(yes), "{pattern} does not match {yes}");
            assert!(!regex.is_match(no), "{pattern} matches {no}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (pattern, reason) in [
            ("(", "invalid regular expression: unclosed group"),
            ("[a", "invalid regular expression: unclosed character class"),
            (
                "*",
                "invalid regular expression: repetition operator missing expression",
            ),
            (
                r"\C",
                "invalid regular expression: unrecognized escape sequence",
            ),
            (
                "(?:(?:a{1000}){1000}){1000}",
                "this regular expression is too large",
            ),
            ("\\", "invalid regular expression: unclosed group"),
        ] {
            assert_eq!(anchored(pattern).unwrap_err(), reason);
        }
    }
}
