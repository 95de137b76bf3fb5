//! Builds a tree from tokens.

use std::ops::Range;

use super::Error;
use super::ast::{Branch, Node, Template, is_empty};
use super::dialect::Dialect;
use super::lexer;
use super::token::Part;
use super::words::Words;

/// The maximum depth of blocks and parentheses.
const MAX_DEPTH: usize = 64;

/// Parses a template of a dialect.
///
/// # Errors
/// The first mistake that Go's parser refuses, or one of two that it detects only on expansion: a `|` without a
/// command after it, and an assignment (`=`) to an undeclared variable.
pub fn parse_as(dialect: Dialect, text: &str) -> Result<Template, Error> {
    let given = dialect.variables().iter();
    let mut parser = Parser {
        dialect,
        parts: lexer::parts(text)?.into_iter(),
        variables: given.map(|name| (*name).to_owned()).collect(),
        loops: 0,
        depth: 0,
        defined: Vec::new(),
    };
    let (nodes, end) = parser.nodes(true)?;
    if let Some(end) = end {
        let title = format!("unexpected `{}`", end.word);
        let label = "belongs to an `if`, `range`, `with`, `define` or `block`";
        return Err(Error::new(end.span, title, label));
    }
    Ok(Template {
        nodes,
        defined: parser.defined,
    })
}

/// Parses a template of Prometheus.
///
/// # Errors
/// As [`parse_as`].
pub fn parse(text: &str) -> Result<Template, Error> {
    parse_as(Dialect::Prometheus, text)
}

/// `end` or `else`, with the rest of its action.
struct End {
    word: String,
    span: Range<usize>,
    rest: Words,
}

pub(super) struct Parser {
    pub(super) dialect: Dialect,
    parts: std::vec::IntoIter<Part>,
    /// The declared variables, innermost last.
    pub(super) variables: Vec<String>,
    /// The depth of loops.
    loops: usize,
    pub(super) depth: usize,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser {
    /// Parses nodes up to an `end` or `else`, or to the end of the text.
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
                        return Err(Error::new(span, title, "only a `range` is a loop"));
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
                // Prometheus 2.42 has no `else with`.
                let chains =
                    word == "if" || word == "with" && self.dialect == Dialect::Alertmanager;
                if chains && end.rest.peek_word() == Some(word) {
                    end.rest.next();
                    // Shares the `end` of this block.
                    otherwise.push(self.branch(word, span, end.rest)?);
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

    /// A `define` has no output; a `block` is also included in place.
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
                let label = "must be at the top level";
                return Err(Error::new(action, "`define` in a block", label));
            }
            _ => None,
        };
        words.finish()?;
        // A named template does not see the variables of the surrounding text.
        let outside = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let loops = std::mem::take(&mut self.loops);
        let (body, end) = self.nodes(false)?;
        closed(end, word, action)?;
        self.variables = outside;
        self.loops = loops;
        self.depth -= 1;
        let mut others = self.defined.iter();
        let again = others.any(|(other, nodes)| *other == name && !is_empty(nodes));
        if again && !is_empty(&body) {
            let title = format!("a second definition of `{name}`");
            let label = "defined above in the same text";
            return Err(Error::new(span, title, label));
        }
        // An empty definition does not replace another one.
        if !again {
            self.defined.retain(|(other, _)| *other != name);
            self.defined.push((name.clone(), body));
        }
        Ok((word == "block").then_some(Node::Template {
            span,
            name,
            argument,
        }))
    }

    pub(super) fn deeper(&mut self, span: &Range<usize>) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let label = format!("at most {MAX_DEPTH} levels");
            return Err(Error::new(span.clone(), "nested too deep", label));
        }
        Ok(())
    }
}

fn closed(end: Option<End>, word: &str, span: Range<usize>) -> Result<(), Error> {
    match end {
        Some(end) if end.word == "end" => end.rest.finish(),
        Some(end) => {
            let title = "a second `else`";
            Err(Error::new(end.span, title, "expected `end`"))
        }
        None => {
            let title = format!("unclosed `{word}`");
            Err(Error::new(span, title, "needs an `{{ end }}`"))
        }
    }
}
