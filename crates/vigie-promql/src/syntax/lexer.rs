//! The lexer, which makes one pass over the text.
//!
//! The lexical rules are those of Prometheus' `promql/parser/lex.go`. Two of them depend on context: inside `[…]` a
//! colon separates range and step, elsewhere it is part of a name; and `=~` exists only inside `{…}`.

use super::{
    error::{Fault, ParseErrorKind},
    number,
    parser::MAX_TOKENS,
    span::Span,
    token::{Keyword, Symbol, Token, TokenKind},
};

/// The tokens of `text`, terminated by [`TokenKind::End`], and the error that stopped the lexer, if any.
///
/// The tokens before a lexical error are parsed nevertheless, because an earlier syntax error takes precedence.
pub(super) fn tokens(text: &str) -> (Vec<Token>, Option<Fault>) {
    let mut lexer = Lexer {
        text,
        at: 0,
        in_braces: false,
        in_brackets: false,
    };
    let mut tokens = Vec::new();
    let fault = loop {
        match lexer.next_token() {
            Ok(token) => {
                let end = token.kind == TokenKind::End;
                debug_assert!(end || token.span.start < token.span.end, "no progress");
                if tokens.len() == MAX_TOKENS && !end {
                    let message = format!("the query has more than {MAX_TOKENS} tokens");
                    break Fault::new(ParseErrorKind::TooLong, token.span, message);
                }
                tokens.push(token);
                if end {
                    return (tokens, None);
                }
            }
            Err(fault) => break fault,
        }
    };
    tokens.push(Token {
        kind: TokenKind::End,
        span: fault.span,
    });
    (tokens, Some(fault))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    in_braces: bool,
    in_brackets: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn colons_in_names(&self) -> bool {
        !self.in_braces && !self.in_brackets
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.at += blanks;
            if !self.rest().starts_with('#') {
                return;
            }
            let rest = self.rest();
            self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
        }
    }

    fn next_token(&mut self) -> Result<Token, Fault> {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek() {
            None => TokenKind::End,
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some('.') if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.number()?
            }
            Some(quote @ ('"' | '\'' | '`')) => TokenKind::Text(self.string(quote)?),
            Some(c) if is_name_start(c) => self.name(),
            Some(':') if self.colons_in_names() => self.name(),
            Some(c) => TokenKind::Symbol(self.symbol(c)?),
        };
        Ok(Token {
            kind,
            span: Span::new(start, self.at),
        })
    }

    fn name(&mut self) -> TokenKind {
        let colons = self.colons_in_names();
        let rest = self.rest();
        let len = rest
            .find(|c: char| !(is_name_start(c) || c.is_ascii_digit() || (c == ':' && colons)))
            .unwrap_or(rest.len());
        let word = rest[..len].to_ascii_lowercase();
        self.at += len;
        if self.in_braces {
            return TokenKind::Name(None);
        }
        match word.as_str() {
            "inf" => TokenKind::Number(f64::INFINITY),
            "nan" => TokenKind::Number(f64::NAN),
            _ => TokenKind::Name(Keyword::find(&word)),
        }
    }

    fn number(&mut self) -> Result<TokenKind, Fault> {
        let start = self.at;
        let (len, kind) = number::scan(self.rest());
        self.at += len;
        kind.map_err(|message| Fault::syntax(Span::new(start, start + len), message))
    }

    fn string(&mut self, quote: char) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut value = Vec::new();
        loop {
            let Some(c) = self.peek() else {
                let span = Span::new(start, self.at);
                return Err(Fault::syntax(span, "this string is not closed"));
            };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => break,
                '\\' if quote != '`' => self.escape(quote, &mut value)?,
                '\n' if quote != '`' => {
                    let span = Span::new(start, self.at - 1);
                    return Err(Fault::syntax(
                        span,
                        "this string is not closed at the end of its line",
                    ));
                }
                _ => value.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        String::from_utf8(value).map_err(|_| {
            let span = Span::new(start, self.at);
            Fault::syntax(span, "the escapes of this string do not make valid UTF-8")
        })
    }

    /// Go's escapes: `\a \b \f \n \r \t \v \\`, the quote, `\NNN`, `\xNN`, `\uNNNN`, `\UNNNNNNNN`.
    fn escape(&mut self, quote: char, value: &mut Vec<u8>) -> Result<(), Fault> {
        let start = self.at - 1;
        let c = self.peek();
        self.at += c.map_or(0, char::len_utf8);
        let mut digits = |radix: u32, count: usize| {
            let digits = self.text.get(self.at..self.at + count)?;
            let valid = digits.chars().all(|c| c.is_digit(radix));
            let number = u32::from_str_radix(digits, radix).ok().filter(|_| valid)?;
            self.at += count;
            Some(number)
        };
        let number = match c {
            Some('a') => Some(7),
            Some('b') => Some(8),
            Some('f') => Some(12),
            Some('n') => Some(10),
            Some('r') => Some(13),
            Some('t') => Some(9),
            Some('v') => Some(11),
            Some('\\') => Some(u32::from(b'\\')),
            Some(c) if c == quote => Some(u32::from(c)),
            Some('x') => {
                if let Some(byte) = digits(16, 2).and_then(|n| u8::try_from(n).ok()) {
                    value.push(byte);
                    return Ok(());
                }
                None
            }
            Some('0'..='7') => {
                self.at -= 1;
                let mut digits = |count: usize| {
                    let digits = self.text.get(self.at..self.at + count)?;
                    let valid = digits.bytes().all(|c| (b'0'..=b'7').contains(&c));
                    self.at += count;
                    u8::from_str_radix(digits, 8).ok().filter(|_| valid)
                };
                if let Some(byte) = digits(3) {
                    value.push(byte);
                    return Ok(());
                }
                None
            }
            Some('u') => digits(16, 4),
            Some('U') => digits(16, 8),
            _ => None,
        };
        let Some(c) = number.and_then(char::from_u32) else {
            let span = Span::new(start, self.at.max(start + 1));
            return Err(Fault::syntax(
                span,
                "unknown escape; a backslash itself is written \\\\",
            ));
        };
        value.extend(c.encode_utf8(&mut [0; 4]).bytes());
        Ok(())
    }

    fn symbol(&mut self, c: char) -> Result<Symbol, Fault> {
        let rest = self.rest();
        let two = rest.get(..2).and_then(Symbol::find).filter(|symbol| {
            let braces = self.in_braces;
            match symbol {
                Symbol::Match | Symbol::NotMatch => true,
                Symbol::Equal => !braces,
                _ => true,
            }
        });
        let symbol = two.or_else(|| Symbol::find(&rest[..c.len_utf8()]));
        let Some(symbol) = symbol else {
            let span = Span::new(self.at, self.at + c.len_utf8());
            let hint = match c {
                '&' => ", did you mean \"and\"?",
                '|' => ", did you mean \"or\"?",
                '!' => ", did you mean \"!=\" or \"unless\"?",
                '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' => {
                    ", which is not a quote of PromQL: use \" or '"
                }
                '$' => "; a dashboard variable must be replaced before the query is evaluated",
                _ => "",
            };
            return Err(Fault::syntax(span, format!("unexpected {c:?}{hint}")));
        };
        self.at += symbol.text().len();
        match symbol {
            Symbol::LeftBrace => self.in_braces = true,
            Symbol::LeftBracket => self.in_brackets = true,
            Symbol::RightBrace => self.in_braces = false,
            Symbol::RightBracket => self.in_brackets = false,
            _ => {}
        }
        Ok(symbol)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}
