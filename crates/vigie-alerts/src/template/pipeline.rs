//! Parses the content of actions: pipelines, commands, operands.

use std::ops::Range;

use super::Error;
use super::ast::{Command, Name, Operand, OperandKind, Pipeline};
use super::dialect::Dialect;
use super::function::Function;
use super::parser::Parser;
use super::token::{Kind, Token};
use super::words::Words;
use crate::suggest::did_you_mean;

impl Parser {
    pub(super) fn pipeline(&mut self, words: &mut Words, range: bool) -> Result<Pipeline, Error> {
        let start = words.place().start;
        let (variables, declares) = self.assignment(words, range)?;
        let mut commands = vec![self.command(words)?];
        while words.eat(&Kind::Pipe) {
            let command = self.command(words)?;
            let first = &command.operands[0];
            // Callable operands: a function, or a field that may hold one.
            if !matches!(first.kind, OperandKind::Function(_)) && first.fields.is_empty() {
                let title = "a value after `|`";
                return Err(Error::new(first.span.clone(), title, "must be a function"));
            }
            commands.push(command);
        }
        if declares {
            let new = variables.iter().map(|name| name.text.clone());
            self.variables.extend(new);
        }
        Ok(Pipeline {
            span: start..words.last_end(),
            variables,
            declares,
            commands,
        })
    }

    /// `$x :=`, `$x =`, and in a `range` also `$i, $x :=`.
    fn assignment(&mut self, words: &mut Words, range: bool) -> Result<(Vec<Name>, bool), Error> {
        let kinds = words.ahead().iter().take(4).map(|token| &token.kind);
        let length = match kinds.collect::<Vec<_>>()[..] {
            [Kind::Variable(_), Kind::Declare | Kind::Assign, ..] => 1,
            [
                Kind::Variable(_),
                Kind::Comma,
                Kind::Variable(_),
                Kind::Declare | Kind::Assign,
            ] if range => 2,
            _ => return Ok((Vec::new(), false)),
        };
        let mut names = Vec::new();
        while names.len() < length {
            match words.next() {
                Some(Token {
                    span,
                    kind: Kind::Variable(text),
                    ..
                }) => names.push(Name { span, text }),
                Some(_) => {}
                None => break,
            }
        }
        let declares = words
            .next()
            .is_some_and(|token| token.kind == Kind::Declare);
        if !declares {
            for name in &names {
                self.known(&name.text, &name.span)?;
            }
        }
        Ok((names, declares))
    }

    fn command(&mut self, words: &mut Words) -> Result<Command, Error> {
        let start = words.place();
        let mut operands = Vec::new();
        loop {
            let next = words.peek().map(|token| (token.spaced, token.span.clone()));
            let Some(operand) = self.operand(words)? else {
                break;
            };
            if let Some((false, span)) = next
                && !operands.is_empty()
            {
                let label = "needs a space before it";
                return Err(Error::new(span, "two values without a space", label));
            }
            operands.push(operand);
        }
        if operands.is_empty() {
            let title = "a value is missing";
            return Err(Error::new(start, title, "expected a value or a function"));
        }
        Ok(Command {
            span: start.start..words.last_end(),
            operands,
        })
    }

    fn operand(&mut self, words: &mut Words) -> Result<Option<Operand>, Error> {
        let Some(token) = words.peek().cloned() else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        let kind = match token.kind {
            Kind::Dot => OperandKind::Dot,
            Kind::Field(text) => {
                fields.push(Name {
                    span: token.span.start + 1..token.span.end,
                    text,
                });
                OperandKind::Dot
            }
            Kind::Variable(name) => {
                self.known(&name, &token.span)?;
                OperandKind::Variable(name)
            }
            Kind::Text(text) => OperandKind::Text(text),
            Kind::Number(text) => OperandKind::Number(text),
            Kind::Character(c) => OperandKind::Character(c),
            Kind::Word(word) => match word.as_str() {
                "true" => OperandKind::Bool(true),
                "false" => OperandKind::Bool(false),
                "nil" => OperandKind::Nil,
                _ => OperandKind::Function(function(self.dialect, &word, &token.span)?),
            },
            Kind::Open => {
                words.next();
                self.deeper(&token.span)?;
                let inside = self.pipeline(words, false)?;
                self.depth -= 1;
                if words.peek().is_none_or(|token| token.kind != Kind::Close) {
                    let span = words.place();
                    return Err(Error::new(span, "an unclosed parenthesis", "expected `)`"));
                }
                OperandKind::Paren(Box::new(inside))
            }
            _ => return Ok(None),
        };
        words.next();
        let has_fields = match &kind {
            // `.a.b` selects fields of the dot, `..b` is invalid.
            OperandKind::Dot => !fields.is_empty(),
            OperandKind::Variable(_) | OperandKind::Function(_) | OperandKind::Paren(_) => true,
            _ => false,
        };
        while let Some(Token {
            kind: Kind::Field(text),
            span,
            spaced: false,
        }) = words.peek().cloned()
        {
            if !has_fields {
                return Err(Error::new(
                    span,
                    "a field of a plain value",
                    "it has no fields",
                ));
            }
            words.next();
            fields.push(Name {
                span: span.start + 1..span.end,
                text,
            });
        }
        Ok(Some(Operand {
            span: token.span.start..words.last_end(),
            kind,
            fields,
        }))
    }

    fn known(&self, name: &str, span: &Range<usize>) -> Result<(), Error> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        let title = format!("unknown variable `{name}`");
        let mut error = Error::new(span.clone(), title, "not declared here");
        error.help = did_you_mean(name, self.variables.iter().map(String::as_str));
        Err(error)
    }
}

fn function(dialect: Dialect, word: &str, span: &Range<usize>) -> Result<Function, Error> {
    Function::find(word, dialect).ok_or_else(|| {
        let title = format!("unknown function `{word}`");
        let label = format!("{} has no such function", dialect.name());
        let mut error = Error::new(span.clone(), title, label);
        let known = Function::ALL.iter().filter(|known| known.is_in(dialect));
        error.help = did_you_mean(word, known.map(|known| known.name()));
        error
    })
}
