//! Words to a tree.

use std::ops::Range;

use super::Error;
use super::ast::{Branch, Command, Name, Node, Operand, OperandKind, Pipeline, Template};
use super::function::Function;
use super::lexer;
use super::token::{Kind, Part, Token};
use crate::suggest::did_you_mean;

/// How deep blocks and parentheses may be nested.
const MAX_DEPTH: usize = 64;

/// The variables that Prometheus declares before the first word.
const GIVEN: [&str; 5] = ["$", "$labels", "$value", "$externalLabels", "$externalURL"];

/// Reads a template.
///
/// # Errors
/// The first thing that Prometheus would refuse.
pub fn parse(text: &str) -> Result<Template, Error> {
    let mut parser = Parser {
        parts: lexer::parts(text)?.into_iter(),
        variables: GIVEN.map(str::to_owned).to_vec(),
        loops: 0,
        depth: 0,
        defined: Vec::new(),
    };
    let (nodes, end) = parser.nodes(true)?;
    if let Some(end) = end {
        let title = format!("`{}` without a beginning", end.word);
        let label = "belongs to an `if`, `range`, `with`, `define` or `block`";
        return Err(Error::new(end.span, title, label));
    }
    Ok(Template {
        nodes,
        defined: parser.defined,
    })
}

/// `end` or `else`, with what follows on it.
struct End {
    word: String,
    span: Range<usize>,
    rest: Words,
}

struct Parser {
    parts: std::vec::IntoIter<Part>,
    /// What may be used here, innermost last.
    variables: Vec<String>,
    /// How many loops this stands in.
    loops: usize,
    depth: usize,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser {
    /// Nodes up to an `end` or `else`, or to the end of the text.
    fn nodes(&mut self, top: bool) -> Result<(Vec<Node>, Option<End>), Error> {
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let (action, mut words) = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Part::Action(span, tokens) => (span.clone(), Words::new(tokens, span.end)),
            };
            let keyword = words.peek_word().unwrap_or_default().to_owned();
            match keyword.as_str() {
                "end" | "else" => {
                    let span = words.next().map_or(action, |token| token.span);
                    let end = End {
                        word: keyword,
                        span,
                        rest: words,
                    };
                    return Ok((nodes, Some(end)));
                }
                "if" | "range" | "with" => {
                    words.next();
                    nodes.push(self.branch(&keyword, action, words)?);
                }
                "define" | "block" => nodes.extend(self.define(&keyword, action, words, top)?),
                "template" => {
                    words.next();
                    let (name, span) = words.name()?;
                    let argument = match words.peek() {
                        Some(_) => Some(self.pipeline(&mut words, false)?),
                        None => None,
                    };
                    words.finish()?;
                    nodes.push(Node::Template {
                        span,
                        name,
                        argument,
                    });
                }
                "break" | "continue" => {
                    let span = words.next().map_or(action, |token| token.span);
                    words.finish()?;
                    if self.loops == 0 {
                        let title = format!("`{keyword}` outside of a `range`");
                        return Err(Error::new(span, title, "there is no loop to leave"));
                    }
                    nodes.push(match keyword.as_str() {
                        "break" => Node::Break,
                        _ => Node::Continue,
                    });
                }
                _ => {
                    let pipeline = self.pipeline(&mut words, false)?;
                    words.finish()?;
                    nodes.push(Node::Action(pipeline));
                }
            }
        }
        Ok((nodes, None))
    }

    fn branch(&mut self, word: &str, span: Range<usize>, mut words: Words) -> Result<Node, Error> {
        self.deeper(&span)?;
        let outside = self.variables.len();
        let pipeline = self.pipeline(&mut words, word == "range")?;
        words.finish()?;
        let inside = self.variables.len();
        self.loops += usize::from(word == "range");
        let (body, end) = self.nodes(false)?;
        self.loops -= usize::from(word == "range");
        self.variables.truncate(inside);
        let mut otherwise = Vec::new();
        match end {
            Some(mut end) if end.word == "else" => {
                if word == "if" && end.rest.peek_word() == Some("if") {
                    end.rest.next();
                    // Takes the `end` of this one as its own.
                    otherwise.push(self.branch("if", span, end.rest)?);
                } else {
                    end.rest.finish()?;
                    let (nodes, end) = self.nodes(false)?;
                    otherwise = nodes;
                    closed(end, word, span)?;
                }
            }
            end => closed(end, word, span)?,
        }
        self.variables.truncate(outside);
        self.depth -= 1;
        let branch = Branch {
            pipeline,
            body,
            otherwise,
        };
        Ok(match word {
            "if" => Node::If(branch),
            "range" => Node::Range(branch),
            _ => Node::With(branch),
        })
    }

    /// A `define` writes nothing; a `block` is one that is used at once.
    fn define(
        &mut self,
        word: &str,
        action: Range<usize>,
        mut words: Words,
        top: bool,
    ) -> Result<Option<Node>, Error> {
        self.deeper(&action)?;
        words.next();
        let (name, span) = words.name()?;
        let argument = match word {
            "block" => Some(self.pipeline(&mut words, false)?),
            _ if !top => {
                let label = "must stand outside of all other blocks";
                return Err(Error::new(action, "`define` in a block", label));
            }
            _ => None,
        };
        words.finish()?;
        // A named template sees no variable of the text around it.
        let outside = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let loops = std::mem::take(&mut self.loops);
        let (body, end) = self.nodes(false)?;
        closed(end, word, action)?;
        self.variables = outside;
        self.loops = loops;
        self.depth -= 1;
        self.defined.push((name.clone(), body));
        Ok((word == "block").then_some(Node::Template {
            span,
            name,
            argument,
        }))
    }

    fn deeper(&mut self, span: &Range<usize>) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let label = format!("at most {MAX_DEPTH} levels");
            return Err(Error::new(span.clone(), "nested too deep", label));
        }
        Ok(())
    }

    fn pipeline(&mut self, words: &mut Words, range: bool) -> Result<Pipeline, Error> {
        let start = words.place().start;
        let (variables, declares) = self.assignment(words, range)?;
        let mut commands = vec![self.command(words)?];
        while words.eat(&Kind::Pipe) {
            let command = self.command(words)?;
            let first = &command.operands[0];
            // What can be called: a function, or a field that might hold one.
            if !matches!(first.kind, OperandKind::Function(_)) && first.fields.is_empty() {
                let title = "a value behind `|`";
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
                return Err(Error::new(span, "two values in one word", label));
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
            Kind::Word(word) => match word.as_str() {
                "true" => OperandKind::Bool(true),
                "false" => OperandKind::Bool(false),
                "nil" => OperandKind::Nil,
                _ => OperandKind::Function(function(&word, &token.span)?),
            },
            Kind::Open => {
                words.next();
                self.deeper(&token.span)?;
                let inside = self.pipeline(words, false)?;
                self.depth -= 1;
                if words.peek().is_none_or(|token| token.kind != Kind::Close) {
                    let span = words.place();
                    return Err(Error::new(
                        span,
                        "a parenthesis without an end",
                        "expected `)`",
                    ));
                }
                OperandKind::Paren(Box::new(inside))
            }
            _ => return Ok(None),
        };
        words.next();
        while let Some(Token {
            kind: Kind::Field(text),
            span,
            spaced: false,
        }) = words.peek().cloned()
        {
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
        let mut error = Error::new(span.clone(), title, "nobody declared it here");
        error.help = did_you_mean(name, self.variables.iter().map(String::as_str));
        Err(error)
    }
}

fn function(word: &str, span: &Range<usize>) -> Result<Function, Error> {
    Function::find(word).ok_or_else(|| {
        let title = format!("unknown function `{word}`");
        let mut error = Error::new(span.clone(), title, "Prometheus has no such function");
        error.help = did_you_mean(word, Function::ALL.iter().map(|known| known.name()));
        error
    })
}

fn closed(end: Option<End>, word: &str, span: Range<usize>) -> Result<(), Error> {
    match end {
        Some(end) if end.word == "end" => end.rest.finish(),
        Some(end) => {
            let title = "a second `else`";
            Err(Error::new(end.span, title, "expected `end`"))
        }
        None => {
            let title = format!("`{word}` without an end");
            Err(Error::new(span, title, "needs an `{{ end }}`"))
        }
    }
}

/// The words of one action.
struct Words {
    tokens: Vec<Token>,
    at: usize,
    /// Where the action ends.
    end: usize,
}

impl Words {
    fn new(tokens: Vec<Token>, end: usize) -> Self {
        Self { tokens, at: 0, end }
    }

    fn ahead(&self) -> &[Token] {
        &self.tokens[self.at..]
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_word(&self) -> Option<&str> {
        match &self.peek()?.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn eat(&mut self, kind: &Kind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == *kind);
        self.at += usize::from(found);
        found
    }

    /// Where the next word is, or the closing braces.
    fn place(&self) -> Range<usize> {
        match self.peek() {
            Some(token) => token.span.clone(),
            None => self.end.saturating_sub(2)..self.end,
        }
    }

    /// Where the last word that was taken ends.
    fn last_end(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(self.end, |token| token.span.end)
    }

    /// A name in quotes, for `template`, `define` and `block`.
    fn name(&mut self) -> Result<(String, Range<usize>), Error> {
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

    fn finish(&self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(token) => {
                let label = "expected `}}`";
                Err(Error::new(token.span.clone(), "a word too many", label))
            }
        }
    }
}
