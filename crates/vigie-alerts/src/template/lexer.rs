//! Splits a template into text and tokens.

mod quoted;

use super::Error;
use super::token::{Kind, Part, Token};

/// Splits `text` at `{{` and `}}`, and actions into tokens.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut trim_left = false;
    loop {
        let open = text[at..].find("{{").map(|found| at + found);
        let mut outside = &text[at..open.unwrap_or(text.len())];
        if trim_left {
            outside = outside.trim_start_matches(is_space);
        }
        let Some(open) = open else {
            push_text(&mut parts, outside);
            return Ok(parts);
        };
        let mut lexer = Lexer {
            text,
            open,
            at: open + 2,
        };
        if lexer.trims_left() {
            outside = outside.trim_end_matches(is_space);
            lexer.at += 1;
        }
        push_text(&mut parts, outside);
        let (tokens, trims) = match lexer.comment()? {
            Some(trims) => (None, trims),
            None => {
                let (tokens, trims) = lexer.action()?;
                (Some(tokens), trims)
            }
        };
        if let Some(tokens) = tokens {
            parts.push(Part::Action(open..lexer.at, tokens));
        }
        trim_left = trims;
        at = lexer.at;
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

struct Lexer<'a> {
    text: &'a str,
    /// The position of the action's `{{`.
    open: usize,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn trims_left(&self) -> bool {
        let marker = self.rest().strip_prefix('-');
        marker.is_some_and(|rest| rest.starts_with(is_space))
    }

    /// The length of ` -}}` or `}}` at the current position, and whether it trims.
    fn close(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some((2, false));
        }
        let trims = rest.starts_with(is_space) && rest[1..].starts_with("-}}");
        trims.then_some((4, true))
    }

    fn comment(&mut self) -> Result<Option<bool>, Error> {
        let spaces = self.rest().len() - self.rest().trim_start_matches(is_space).len();
        // Only a trim marker with its space may stand between the braces and a comment.
        let spaces = if self.at > self.open + 2 { spaces } else { 0 };
        let Some(comment) = self.rest()[spaces..].strip_prefix("/*") else {
            return Ok(None);
        };
        let Some(length) = comment.find("*/") else {
            let span = self.open..self.text.len();
            return Err(Error::new(span, "an unclosed comment", "ends with `*/`"));
        };
        self.at += spaces + 2 + length + 2;
        match self.close() {
            Some((length, trims)) => {
                self.at += length;
                Ok(Some(trims))
            }
            None => {
                let span = self.at..self.at;
                let title = "text after a comment";
                Err(Error::new(span, title, "`}}` must follow at once"))
            }
        }
    }

    fn action(&mut self) -> Result<(Vec<Token>, bool), Error> {
        let mut tokens = Vec::new();
        loop {
            if let Some((length, trims)) = self.close() {
                self.at += length;
                return Ok((tokens, trims));
            }
            let start = self.at;
            self.at += self.rest().len() - self.rest().trim_start_matches(is_space).len();
            let spaced = self.at > start;
            // `{{ x -}}`: the space before the marker belongs to it.
            if spaced && self.rest().starts_with("-}}") {
                self.at -= 1;
                continue;
            }
            if spaced && self.rest().starts_with("}}") {
                continue;
            }
            let Some(first) = self.peek() else {
                let span = self.open..self.open + 2;
                return Err(Error::new(span, "an unclosed action", "ends with `}}`"));
            };
            let start = self.at;
            let kind = self.token(first)?;
            tokens.push(Token {
                span: start..self.at,
                kind,
                spaced,
            });
        }
    }

    fn token(&mut self, first: char) -> Result<Kind, Error> {
        let start = self.at;
        let single = match first {
            '|' => Some(Kind::Pipe),
            '(' => Some(Kind::Open),
            ')' => Some(Kind::Close),
            ',' => Some(Kind::Comma),
            '=' => Some(Kind::Assign),
            _ => None,
        };
        if let Some(kind) = single {
            self.at += 1;
            return Ok(kind);
        }
        match first {
            ':' if self.rest().starts_with(":=") => {
                self.at += 2;
                Ok(Kind::Declare)
            }
            '"' => self.quoted('"').map(Kind::Text),
            '\'' => self.character(),
            '`' => self.raw(),
            '.' if self.rest()[1..].starts_with(|c: char| is_word(c) && !c.is_ascii_digit()) => {
                self.at += 1;
                Ok(Kind::Field(self.word().to_owned()))
            }
            '.' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.at += 1;
                Ok(Kind::Dot)
            }
            '$' => {
                self.at += 1;
                self.word();
                Ok(Kind::Variable(self.text[start..self.at].to_owned()))
            }
            '.' | '+' | '-' | '0'..='9' => self.number(),
            c if is_word(c) => Ok(Kind::Word(self.word().to_owned())),
            c => {
                let span = start..start + c.len_utf8();
                let title = format!("`{}` in an action", c.escape_debug());
                Err(Error::new(span, title, "unexpected character"))
            }
        }
    }

    /// A word of letters and digits at the current position.
    fn word(&mut self) -> &str {
        let start = self.at;
        let length = self.rest().find(|c| !is_word(c));
        self.at += length.unwrap_or(self.rest().len());
        &self.text[start..self.at]
    }

    fn number(&mut self) -> Result<Kind, Error> {
        let start = self.at;
        let mut before = ' ';
        while let Some(c) = self.peek() {
            let sign = matches!(c, '+' | '-') && (self.at == start || "eEpP".contains(before));
            if !(sign || c == '.' || is_word(c)) {
                break;
            }
            before = c;
            self.at += c.len_utf8();
        }
        let text = &self.text[start..self.at];
        let plain = text.trim_start_matches(['+', '-']).replace('_', "");
        let radix = |prefix, radix| {
            let digits = plain.to_ascii_lowercase();
            let digits = digits.strip_prefix(prefix).map(str::to_owned);
            digits.is_some_and(|digits| i64::from_str_radix(&digits, radix).is_ok())
        };
        let decimal = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && plain.parse::<f64>().is_ok();
        if decimal || radix("0x", 16) || radix("0o", 8) || radix("0b", 2) {
            return Ok(Kind::Number(text.to_owned()));
        }
        let title = format!("`{text}` is not a number");
        Err(Error::new(start..self.at, title, "as in 1, 0.5, 1e3"))
    }
}
