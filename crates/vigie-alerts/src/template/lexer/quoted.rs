//! Texts and characters in quotes.

use std::ops::Range;

use super::super::Error;
use super::super::token::Kind;
use super::Lexer;

impl Lexer<'_> {
    /// One character in single quotes.
    pub(super) fn character(&mut self) -> Result<Kind, Error> {
        let start = self.at;
        let text = self.quoted('\'')?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) => Ok(Kind::Character(c)),
            _ => {
                let title = "a character constant must be one character";
                Err(Error::new(start..self.at, title, "as in 'a' or '\\n'"))
            }
        }
    }

    pub(super) fn raw(&mut self) -> Result<Kind, Error> {
        let inside = &self.rest()[1..];
        let Some(length) = inside.find('`') else {
            return Err(unclosed(self.at..self.text.len(), '`'));
        };
        let text = inside[..length].to_owned();
        self.at += length + 2;
        Ok(Kind::Text(text))
    }

    /// A quoted text or character, unescaped.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String, Error> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = characters.next() {
            let at = start + offset;
            match c {
                '\n' => break,
                '\\' => {
                    let (meant, length) =
                        escape(&self.text[at..]).ok_or_else(|| bad_escape(at..at + 1))?;
                    text.push(meant);
                    // The backslash is already consumed.
                    for _ in 1..length {
                        characters.next();
                    }
                }
                c if c == quote => {
                    self.at = at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(unclosed(start..start + 1, quote))
    }
}

fn unclosed(span: Range<usize>, quote: char) -> Error {
    Error::new(span, "an unclosed string", format!("ends with {quote}"))
}

fn bad_escape(span: Range<usize>) -> Error {
    let label = r#"known: \\ \" \' \n \t \r \a \b \f \v, \x41, \101, \u00e9, \U0001f600"#;
    Error::new(span, "an unknown escape", label)
}

/// The value of an escape sequence, and its length in characters.
fn escape(text: &str) -> Option<(char, usize)> {
    let mut characters = text.chars().skip(1);
    let simple = match characters.next()? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        c @ ('\\' | '\'' | '"') => c,
        c => {
            let (skip, digits, radix) = match c {
                'x' => (2, 2, 16),
                'u' => (2, 4, 16),
                'U' => (2, 8, 16),
                '0'..='7' => (1, 3, 8),
                _ => return None,
            };
            let code: String = text.chars().skip(skip).take(digits).collect();
            let whole = code.len() == digits && code.chars().all(|c| c.is_digit(radix));
            let code = u32::from_str_radix(&code, radix).ok().filter(|_| whole)?;
            return Some((char::from_u32(code)?, skip + digits));
        }
    };
    Some((simple, 2))
}
