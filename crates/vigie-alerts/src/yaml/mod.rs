//! YAML as a tree whose every node knows its position, for any file that must be read with positions.

mod text;

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use crate::finding::{Finding, Span};
pub use text::Text;

/// How deep lists and tables may be nested. A rule file has six levels.
const MAX_DEPTH: usize = 32;
/// How much aliases may stand for in all, in bytes and nodes together.
const MAX_EXPANDED: usize = 4 << 20;

/// A value with its position.
#[derive(Debug)]
pub struct Node {
    /// Its position.
    pub span: Span,
    /// The value.
    pub value: Value,
    /// Its size with aliases written out.
    weight: usize,
}

/// A scalar, a list, a table, or a reference to one.
#[derive(Debug)]
pub enum Value {
    /// Text, or nothing at all (`key:`, `~`, `null`).
    Scalar(Option<Text>),
    /// The items of a list.
    List(Vec<Rc<Node>>),
    /// The keys and values of a table, in the order of the file.
    Table(Vec<(Rc<Node>, Rc<Node>)>),
    /// `*name`; the node is the anchored one.
    Alias(Rc<Node>),
}

/// The first document of a file, the only one that Prometheus reads.
#[derive(Debug, Default)]
pub struct Document {
    /// `None` if the file is empty.
    pub root: Option<Rc<Node>>,
    /// Where a later document begins that is not empty.
    pub ignored: Option<Span>,
}

impl Node {
    /// The value itself if this is an alias. An alias never refers to another alias.
    #[must_use]
    pub fn resolved(&self) -> &Self {
        match &self.value {
            Value::Alias(node) => node,
            _ => self,
        }
    }

    /// The type of the value, for messages.
    #[must_use]
    pub fn described(&self) -> &'static str {
        match self.resolved().value {
            Value::Scalar(None) => "nothing",
            Value::Scalar(Some(_)) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Alias(_) => "an alias",
        }
    }
}

/// Reads the first document of `text`.
///
/// # Errors
/// The first mistake: the text is not YAML, or exceeds a bound.
pub fn parse(text: &str) -> Result<Document, Box<Finding>> {
    Builder::new(text).run()
}

/// A list or table whose end has not come yet.
struct Open {
    start: usize,
    anchor: usize,
    items: Vec<Rc<Node>>,
    table: bool,
}

fn is_null(plain: &str) -> bool {
    ["", "~", "null", "Null", "NULL"].contains(&plain)
}

fn refused(span: Span, title: impl Into<String>, label: impl Into<String>) -> Box<Finding> {
    Box::new(Finding::new(span, title, label))
}

struct Builder<'a> {
    text: &'a str,
    /// The byte at which each character begins; the parser counts characters.
    bytes: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    expanded: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let bytes = text.char_indices().map(|(at, _)| at);
        Self {
            text,
            bytes: bytes.chain([text.len()]).collect(),
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            expanded: 0,
        }
    }

    fn run(mut self) -> Result<Document, Box<Finding>> {
        let mut parser = Parser::new_from_str(self.text);
        while let Some(next) = parser.next_event() {
            let (event, place) = next.map_err(|error| self.not_yaml(&error))?;
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            let span = self.byte(place.start.index())..self.byte(place.end.index());
            self.event(event, span)?;
        }
        let ignored = self.content(&mut parser);
        Ok(Document {
            root: self.root,
            ignored,
        })
    }

    /// Where the content of the remaining documents begins, valid YAML or not.
    fn content(&self, parser: &mut Parser<'a, StrInput<'a>>) -> Option<Span> {
        while let Some(next) = parser.next_event() {
            let at = match next {
                Err(error) => error.marker().index(),
                Ok((Event::Scalar(value, ScalarStyle::Plain, ..), _)) if is_null(&value) => {
                    continue;
                }
                Ok((
                    Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..),
                    place,
                )) => place.start.index(),
                Ok(_) => continue,
            };
            let at = self.byte(at);
            return Some(at..at);
        }
        None
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Finding>> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.tag(tag.as_deref(), &span)?;
                let text = match style {
                    ScalarStyle::Plain if is_null(&value) => None,
                    _ => Some(Text::new(
                        value.into_owned(),
                        self.text,
                        span.clone(),
                        style,
                    )),
                };
                let weight = 1 + span.len();
                let value = Value::Scalar(text);
                self.node(
                    Node {
                        span,
                        value,
                        weight,
                    },
                    anchor,
                );
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => self.begin(anchor, tag.as_deref(), &span, false),
            Event::MappingStart(anchor, tag) => self.begin(anchor, tag.as_deref(), &span, true),
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(&span);
                Ok(())
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.expanded += node.weight;
                    if self.expanded > MAX_EXPANDED {
                        let label = "aliases make this file huge";
                        return Err(refused(span, "too much", label));
                    }
                    self.place(Rc::new(Node {
                        span,
                        weight: node.weight,
                        value: Value::Alias(node),
                    }));
                    Ok(())
                }
                None => Err(refused(span, "an alias of what it stands in", "")),
            },
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        anchor: usize,
        tag: Option<&saphyr_parser::Tag>,
        span: &Span,
        table: bool,
    ) -> Result<(), Box<Finding>> {
        self.tag(tag, span)?;
        if self.open.len() == MAX_DEPTH {
            let label = format!("at most {MAX_DEPTH} levels");
            return Err(refused(span.clone(), "nested too deep", label));
        }
        self.open.push(Open {
            start: span.start,
            anchor,
            items: Vec::new(),
            table,
        });
        Ok(())
    }

    fn end(&mut self, span: &Span) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let last = open.items.last().map_or(open.start, |node| node.span.end);
        let end = if span.is_empty() { last } else { span.end };
        let weight = 1 + open.items.iter().map(|node| node.weight).sum::<usize>();
        let value = if open.table {
            let mut items = open.items.into_iter();
            let mut entries = Vec::new();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                entries.push((key, value));
            }
            Value::Table(entries)
        } else {
            Value::List(open.items)
        };
        let span = open.start..end.max(open.start);
        self.node(
            Node {
                span,
                value,
                weight,
            },
            open.anchor,
        );
    }

    fn node(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.place(node);
    }

    fn place(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }

    fn tag(&self, tag: Option<&saphyr_parser::Tag>, span: &Span) -> Result<(), Box<Finding>> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => {
                let title = format!("the tag `{tag}`");
                Err(refused(span.clone(), title, "rule files have no tags"))
            }
            _ => Ok(()),
        }
    }

    fn byte(&self, character: usize) -> usize {
        let at = self.bytes.get(character);
        at.copied().unwrap_or(self.text.len())
    }

    fn not_yaml(&self, error: &ScanError) -> Box<Finding> {
        let at = self.byte(error.marker().index());
        refused(at..at, "this is not YAML", error.info())
    }
}

#[cfg(test)]
mod tests;
