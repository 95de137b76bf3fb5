//! `host=db.example user=app password='a b'` (PostgreSQL's documentation, section 34.1.1.1).

use std::iter::Peekable;
use std::str::Chars;

use super::keywords::Keywords;
use crate::address::UrlError;

/// Whether a text has this form rather than that of a URL.
pub(in crate::sql) fn is_dsn(text: &str) -> bool {
    let word = text.split_once('=').map_or("", |(word, _)| word.trim());
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn read(text: &str) -> Result<Keywords, UrlError> {
    let detail = |text: &str| UrlError::Detail(text.to_owned());
    let mut keywords = Keywords::default();
    let mut rest = text.chars().peekable();
    loop {
        skip_space(&mut rest);
        if rest.peek().is_none() {
            return Ok(keywords);
        }
        let mut key = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        skip_space(&mut rest);
        if rest.next() != Some('=') {
            return Err(detail(
                "a keyword is not followed by = (a value with a space stands in '…')",
            ));
        }
        skip_space(&mut rest);
        let value = value(&mut rest).ok_or_else(|| detail("a quoted value is not closed by '"))?;
        keywords.set(&key, value);
    }
}

/// A value, quoted or up to a space. A backslash escapes the next character.
fn value(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let is_quoted = rest.next_if_eq(&'\'').is_some();
    let mut value = String::new();
    while let Some(c) = rest.next() {
        match c {
            '\\' => value.extend(rest.next()),
            '\'' if is_quoted => return Some(value),
            c if c.is_whitespace() && !is_quoted => return Some(value),
            c => value.push(c),
        }
    }
    (!is_quoted).then_some(value)
}

fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| c.is_whitespace()).is_some() {}
}
