//! The newer syntax: names and values are words without reserved characters, or in double quotes.

use std::ops::Range;

use super::quote::unquote;
use super::{MatchOp, Matcher, MatcherError};

/// Whether a word ends before this character.
pub(super) fn is_reserved(c: char) -> bool {
    is_space(c) || "{}!=~,\\\"'`".contains(c)
}

/// Go's `unicode.IsSpace`.
fn is_space(c: char) -> bool {
    c.is_whitespace()
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Op(MatchOp),
    Quoted,
    Word,
    End,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut parser = Parser { text, at: 0 };
    let braces = parser.peek()?.0 == Token::Open;
    if braces {
        parser.next()?;
    }
    let mut matchers = Vec::new();
    loop {
        let (token, span) = parser.next()?;
        match token {
            Token::Quoted | Token::Word => matchers.push(parser.matcher(token, span)?),
            // An empty list, or a trailing comma.
            Token::Close if braces => return parser.end(matchers),
            Token::End if !braces => return Ok(matchers),
            Token::End => return Err(parser.expected(span, "`}`")),
            _ => return Err(parser.expected(span, "the name of a label")),
        }
        let (token, span) = parser.next()?;
        match token {
            Token::Comma => {}
            Token::Close if braces => return parser.end(matchers),
            Token::Close => return Err(parser.expected(span, "the end, since no `{` is open")),
            Token::End if !braces => return Ok(matchers),
            Token::End => return Err(parser.expected(span, "`}`")),
            _ => return Err(parser.expected(span, "a comma or the end")),
        }
    }
}

impl Parser<'_> {
    fn matcher(&mut self, name: Token, at: Range<usize>) -> Result<Matcher, MatcherError> {
        let name = self.value(name, at)?;
        let (token, span) = self.next()?;
        let Token::Op(op) = token else {
            return Err(self.expected(span, "`=`, `!=`, `=~` or `!~`"));
        };
        let (token, span) = self.next()?;
        let (Token::Quoted | Token::Word) = token else {
            return Err(self.expected(span, "a value"));
        };
        let value = self.value(token, span.clone())?;
        Matcher::new(name, op, value).map_err(|message| MatcherError { span, message })
    }

    fn value(&self, token: Token, span: Range<usize>) -> Result<String, MatcherError> {
        let text = &self.text[span.clone()];
        match token {
            Token::Quoted => unquote(text).ok_or_else(|| MatcherError {
                span,
                message: format!(
                    "{text} has an invalid escape; accepted: \\\\, \\\", \\n, \\xHH and Go's others"
                ),
            }),
            _ => Ok(text.to_owned()),
        }
    }

    fn end(&mut self, matchers: Vec<Matcher>) -> Result<Vec<Matcher>, MatcherError> {
        match self.next()? {
            (Token::End, _) => Ok(matchers),
            (_, span) => Err(self.expected(span, "the end")),
        }
    }

    fn peek(&mut self) -> Result<(Token, Range<usize>), MatcherError> {
        let at = self.at;
        let next = self.next();
        self.at = at;
        next
    }

    fn next(&mut self) -> Result<(Token, Range<usize>), MatcherError> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start_matches(is_space).len());
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else {
            self.at = start;
            return Ok((Token::End, start..start));
        };
        let (token, length) = match first {
            '{' => (Token::Open, 1),
            '}' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            _ if rest.starts_with("=~") => (Token::Op(MatchOp::Match), 2),
            '=' => (Token::Op(MatchOp::Equal), 1),
            _ if rest.starts_with("!=") => (Token::Op(MatchOp::NotEqual), 2),
            _ if rest.starts_with("!~") => (Token::Op(MatchOp::NotMatch), 2),
            '"' => match quoted(rest) {
                Some(length) => (Token::Quoted, length),
                None => {
                    let span = start..self.text.len();
                    return Err(self.expected(span, "a closing `\"`"));
                }
            },
            c if is_reserved(c) => {
                let span = start..start + c.len_utf8();
                return Err(self.expected(span, "a value with this character in double quotes"));
            }
            _ => (Token::Word, rest.find(is_reserved).unwrap_or(rest.len())),
        };
        self.at = start + length;
        Ok((token, start..self.at))
    }

    fn expected(&self, span: Range<usize>, accepted: &str) -> MatcherError {
        let found = match &self.text[span.clone()] {
            "" => "the end".to_owned(),
            found => format!("`{found}`"),
        };
        MatcherError {
            span,
            message: format!("found {found}, expected {accepted}"),
        }
    }
}

/// The length of the quoted text at the beginning, quotes included.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
