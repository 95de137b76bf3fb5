//! Iterates over the tokens of one action.

use std::ops::Range;

use super::Error;
use super::token::{Kind, Token};

/// The tokens of one action.
pub(super) struct Words {
    tokens: Vec<Token>,
    at: usize,
    /// The end of the action.
    end: usize,
}

impl Words {
    pub(super) fn new(tokens: Vec<Token>, end: usize) -> Self {
        Self { tokens, at: 0, end }
    }

    pub(super) fn ahead(&self) -> &[Token] {
        &self.tokens[self.at..]
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn peek_word(&self) -> Option<&str> {
        match &self.peek()?.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    pub(super) fn eat(&mut self, kind: &Kind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == *kind);
        self.at += usize::from(found);
        found
    }

    /// The position of the next token, or of the closing braces.
    pub(super) fn place(&self) -> Range<usize> {
        match self.peek() {
            Some(token) => token.span.clone(),
            None => self.end.saturating_sub(2)..self.end,
        }
    }

    /// The end of the last token that was consumed.
    pub(super) fn last_end(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(self.end, |token| token.span.end)
    }

    /// A quoted name, for `template`, `define` and `block`.
    pub(super) fn name(&mut self) -> Result<(String, Range<usize>), Error> {
        let place = self.place();
        match self.next() {
            Some(Token {
                kind: Kind::Text(text),
                span,
                ..
            }) => Ok((text, span)),
            _ => Err(Error::new(
                place,
                "a name is missing",
                "expected a text in quotes",
            )),
        }
    }

    pub(super) fn finish(&self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(token) => {
                let label = "expected `}}`";
                Err(Error::new(token.span.clone(), "a word too many", label))
            }
        }
    }
}
