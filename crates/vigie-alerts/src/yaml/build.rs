//! Builds the tree from the events of the parser.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::{Document, Node, Text, Value};
use crate::finding::{Finding, Span};
use crate::lint::Lint;

/// The maximum depth of lists and tables. Rule files use six levels.
const MAX_DEPTH: usize = 32;
/// The maximum total size of expanded aliases, in bytes and nodes.
const MAX_EXPANDED: usize = 4 << 20;

/// A list or table that is not yet complete.
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
    Box::new(Finding::new(Lint::Yaml, span, title, label))
}

pub(super) struct Builder<'a> {
    text: &'a str,
    /// The byte offset of each character; the parser counts characters.
    bytes: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    expanded: usize,
    texts: Vec<Span>,
    findings: Vec<Finding>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.char_indices().map(|(at, _)| at);
        Self {
            text,
            bytes: bytes.chain([text.len()]).collect(),
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            expanded: 0,
            texts: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Result<Document, Box<Finding>> {
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
            texts: self.texts,
            findings: self.findings,
        })
    }

    /// The start of the content of the remaining documents, valid YAML or not.
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
                self.tag(tag.as_deref(), &span);
                let text = match style {
                    ScalarStyle::Plain if is_null(&value) => None,
                    _ => Some(Text::new(
                        value.into_owned(),
                        self.text,
                        span.clone(),
                        style,
                    )),
                };
                self.texts.extend(text.as_ref().map(Text::span));
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
                        let label = "the expanded aliases are too large";
                        return Err(refused(span, "too many aliases", label));
                    }
                    self.place(Rc::new(Node {
                        span,
                        weight: node.weight,
                        value: Value::Alias(node),
                    }));
                    Ok(())
                }
                None => Err(refused(span, "an alias of a value that contains it", "")),
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
        self.tag(tag, span);
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
        let last = open.items.last().map_or(open.start, |node| node.end());
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

    fn tag(&mut self, tag: Option<&saphyr_parser::Tag>, span: &Span) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let title = format!("the tag `{tag}`");
            let label = "Prometheus reads the value without its tag";
            let finding = Finding::new(Lint::YamlTag, span.clone(), title, label);
            self.findings.push(finding);
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
