//! The parser, by recursive descent from tokens to the tree.

mod call;
mod duration;
mod expr;
mod selector;

use super::{
    ast::{Expr, Name, Selector, Shift},
    error::{Fault, ParseError, ParseErrorKind},
    features::Features,
    function::Function,
    lexer,
    span::Span,
    token::{Keyword, Symbol, Token, TokenKind},
};
use crate::re2;

/// The maximum length of a query, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 << 20;

/// The maximum length of a query, in tokens, which bounds its memory. A long text, such as a list of names in a
/// matcher, is one token.
pub const MAX_TOKENS: usize = 1 << 17;

/// The maximum nesting of expressions. Parsing and evaluating it takes less than 0.8 MB of stack in a release build and
/// 1.6 MB in a debug build (measured), of the 2 MB of a thread.
pub const MAX_DEPTH: usize = 100;

/// The maximum compiled size of the regular expressions of a query, in bytes.
pub const MAX_REGEX_BYTES: usize = 16 << 20;

type Parsed<T> = Result<T, Fault>;

/// Parses a query in time linear in its length.
///
/// # Errors
///
/// The first error in the text, with its position: see [`ParseErrorKind`].
pub fn parse(query: &str) -> Result<Expr, ParseError> {
    parse_with(query, Features::Stable)
}

/// As [`parse`], with the given part of the language.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_with(query: &str, features: Features) -> Result<Expr, ParseError> {
    read(query, features, false)
}

/// Parses a selector alone, like that of a `match[]`: without a modifier. Unlike in a query it may be `{}`, which selects
/// every series, and may name the metric twice.
///
/// # Errors
///
/// As [`parse`], and for any other expression.
pub fn parse_selector(text: &str) -> Result<Selector, ParseError> {
    match read(text, Features::Stable, true)? {
        Expr::Selector(selector) if selector.shift == Shift::default() => Ok(selector),
        expr => {
            let message = "expected the name of a metric or a selector alone, like up{job=\"api\"}";
            Err(Fault::syntax(expr.span(), message).locate(text))
        }
    }
}

fn read(query: &str, features: Features, any_selector: bool) -> Result<Expr, ParseError> {
    if query.len() > MAX_QUERY_BYTES {
        let message = format!(
            "the query is {} bytes long, more than the limit of {MAX_QUERY_BYTES}",
            query.len()
        );
        let fault = Fault::new(ParseErrorKind::TooLong, Span::default(), message);
        return Err(fault.locate(query));
    }
    let (tokens, broken) = lexer::tokens(query);
    let mut parser = Parser {
        query,
        features,
        any_selector,
        tokens,
        at: 0,
        depth: 0,
        regex_bytes: 0,
    };
    let parsed = parser.query();
    let fault = match (parsed, broken) {
        (Ok(expr), None) => return Ok(expr),
        (Err(fault), None) => fault,
        (Err(fault), Some(broken)) if fault.span.start < broken.span.start => fault,
        (_, Some(broken)) => broken,
    };
    Err(fault.locate(query))
}

/// Whether parsing or evaluating the query builds an automaton for a regular expression, which may take milliseconds
/// and cannot be interrupted.
#[must_use]
pub fn is_costly(query: &str) -> bool {
    let (tokens, _) = lexer::tokens(query);
    let builds = |pair: &[Token]| match (&pair[0].kind, &pair[1].kind) {
        (TokenKind::Symbol(Symbol::Match | Symbol::NotMatch), TokenKind::Text(pattern)) => {
            re2::is_costly(pattern)
        }
        (TokenKind::Name(_), _) => {
            Function::find(pair[0].span.text(query)) == Some(Function::LabelReplace)
        }
        _ => false,
    };
    tokens.windows(2).any(builds)
}

struct Parser<'a> {
    query: &'a str,
    features: Features,
    /// Whether a selector may select every series, and name the metric twice.
    any_selector: bool,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// The compiled size of the regular expressions so far, in bytes.
    regex_bytes: usize,
}

impl Parser<'_> {
    fn query(&mut self) -> Parsed<Expr> {
        if self.peek().kind == TokenKind::End {
            return Err(Fault::syntax(self.peek().span, "the query is empty"));
        }
        let expr = self.expr()?;
        match self.peek().kind {
            TokenKind::End => Ok(expr),
            TokenKind::Symbol(Symbol::Assign) => Err(self.unexpected_with("did you mean \"==\"?")),
            TokenKind::Symbol(Symbol::RightParen) => {
                Err(self.unexpected_with("no \"(\" is open here"))
            }
            TokenKind::Name(Some(Keyword::By | Keyword::Without)) => Err(self.unexpected_with(
                "it belongs directly before or after the parentheses of an aggregation such as sum",
            )),
            _ => Err(self.unexpected("an operator or the end of the query")),
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    /// The token after the next one; after the end, the end again.
    fn peek_second(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is(&self, symbol: Symbol) -> bool {
        self.peek().kind == TokenKind::Symbol(symbol)
    }

    fn keyword(&self) -> Option<Keyword> {
        match self.peek().kind {
            TokenKind::Name(keyword) => keyword,
            _ => None,
        }
    }

    fn accept(&mut self, symbol: Symbol) -> Option<Span> {
        self.is(symbol).then(|| self.next().span)
    }

    /// Consumes `symbol`. On failure, `context` is appended to the message: `expected "(" after by`.
    fn expect(&mut self, symbol: Symbol, context: &str) -> Parsed<Span> {
        self.accept(symbol)
            .ok_or_else(|| self.unexpected(&format!("\"{}\"{context}", symbol.text())))
    }

    /// Consumes the bracket that closes the one at `open`.
    fn close(&mut self, symbol: Symbol, open: Span, otherwise: &str) -> Parsed<Span> {
        self.accept(symbol).ok_or_else(|| {
            let (line, column) = open.position(self.query);
            let opening = open.text(self.query);
            self.unexpected(&format!(
                "{otherwise}\"{}\" to close the \"{opening}\" at {line}:{column}",
                symbol.text()
            ))
        })
    }

    /// The next token, as described in messages.
    fn found(&self) -> String {
        let token = self.peek();
        match &token.kind {
            TokenKind::End => "the end of the query".to_owned(),
            TokenKind::Text(_) => format!("the string {}", shortened(token.span.text(self.query))),
            _ => format!("\"{}\"", shortened(token.span.text(self.query))),
        }
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let message = format!("unexpected {}, expected {expected}", self.found());
        Fault::syntax(self.peek().span, message)
    }

    fn unexpected_with(&self, hint: &str) -> Fault {
        Fault::syntax(
            self.peek().span,
            format!("unexpected {}: {hint}", self.found()),
        )
    }

    /// Fails unless experimental features are permitted.
    fn experimental(&self, span: Span, what: impl std::fmt::Display) -> Parsed<()> {
        match self.features {
            Features::Experimental => Ok(()),
            Features::Stable => Err(Fault::experimental(span, what)),
        }
    }

    /// Runs `parse` at one more level of nesting.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("expressions are nested more than {MAX_DEPTH} deep here");
            return Err(Fault::new(
                ParseErrorKind::TooDeep,
                self.peek().span,
                message,
            ));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Parses `(a, "b c", d)` after the keyword `after`.
    fn label_list(&mut self, after: &str) -> Parsed<(Span, Vec<Name>)> {
        let open = self.expect(Symbol::LeftParen, &format!(" after {after}"))?;
        let mut labels = Vec::new();
        loop {
            if let Some(close) = self.accept(Symbol::RightParen) {
                return Ok((open.to(close), labels));
            }
            let token = self.peek();
            let text = match &token.kind {
                TokenKind::Name(_) => token.span.text(self.query).to_owned(),
                TokenKind::Text(text) if !text.is_empty() => text.clone(),
                _ => return Err(self.unexpected("a label name")),
            };
            let span = self.next().span;
            labels.push(Name { span, text });
            if self.accept(Symbol::Comma).is_none() && !self.is(Symbol::RightParen) {
                return Err(self.unexpected("\",\" or \")\""));
            }
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
