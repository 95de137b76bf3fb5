//! Nodes and named templates. The source of the rules is `text/template/exec.go`.

use std::ops::Range;

use super::super::ast::{Branch, Node, Pipeline};
use super::failure::{Failed, Place, Source};
use super::run::Run;
use super::value::Value;
use super::{go, printf};

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flow {
    Done,
    Break,
    Continue,
}

impl<'a> Run<'a> {
    pub(super) fn nodes(&mut self, nodes: &'a [Node], dot: &Value) -> Result<Flow, Failed<'a>> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.literal(text)?;
                    Flow::Done
                }
                Node::Action(pipeline) => {
                    self.action(pipeline, dot)?;
                    Flow::Done
                }
                Node::If(branch) => self.branch(branch, dot, false)?,
                Node::With(branch) => self.branch(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template {
                    span,
                    name,
                    argument,
                } => {
                    self.call(span, name, argument.as_ref(), dot)?;
                    Flow::Done
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Done {
                return Ok(flow);
            }
        }
        Ok(Flow::Done)
    }

    /// `if` and `with`.
    fn branch(
        &mut self,
        branch: &'a Branch,
        dot: &Value,
        sets_dot: bool,
    ) -> Result<Flow, Failed<'a>> {
        let outside = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = match (value.is_true(), sets_dot) {
            (true, true) => self.nodes(&branch.body, &value),
            (true, false) => self.nodes(&branch.body, dot),
            (false, _) => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(outside);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Value) -> Result<Flow, Failed<'a>> {
        let outside = self.variables.len();
        let pipeline = &branch.pipeline;
        let value = self.commands(pipeline, dot)?;
        let items = self.items(&value)?;
        let mut flow = Flow::Done;
        if items.is_empty() {
            flow = self.nodes(&branch.otherwise, dot)?;
        }
        for (key, item) in items {
            self.step()?;
            match (&pipeline.variables[..], pipeline.declares) {
                ([index, each], true) => {
                    self.variables.push((&index.text, key));
                    self.variables.push((&each.text, item.clone()));
                }
                ([each], true) => self.variables.push((&each.text, item.clone())),
                ([index, each], false) => {
                    self.assign(&index.text, key);
                    self.assign(&each.text, item.clone());
                }
                ([each], false) => self.assign(&each.text, item.clone()),
                _ => {}
            }
            let ended = self.nodes(&branch.body, &item)?;
            self.variables.truncate(outside);
            if ended == Flow::Break {
                break;
            }
        }
        self.variables.truncate(outside);
        Ok(flow)
    }

    /// The keys and values that a `range` visits.
    fn items(&self, value: &Value) -> Result<Vec<(Value, Value)>, Failed<'a>> {
        Ok(match value {
            Value::List(list) => {
                let indexed = list.items().iter().enumerate();
                let indexed = indexed.map(|(index, item)| (Value::Int(index as i64), item.clone()));
                indexed.collect()
            }
            Value::Strings(map) | Value::Pairs(map) => {
                let items = map.iter();
                let items = items.map(|(key, item)| (Value::text(&**key), Value::text(&**item)));
                items.collect()
            }
            Value::Map(map) => {
                let items = map.entries().iter();
                items
                    .map(|(key, item)| (Value::text(&**key), item.clone()))
                    .collect()
            }
            Value::Int(count) => {
                let count = (*count).clamp(0, self.budget.limits.steps as i64 + 1);
                (0..count)
                    .map(|index| (Value::Int(index), Value::Int(index)))
                    .collect()
            }
            Value::Nil => Vec::new(),
            other => {
                let shown = printf::plain(other, self.budget.limits.bytes);
                let shown = shown.unwrap_or_else(|error| error.to_string());
                return Err(self.fail(format!("range can't iterate over {shown}")));
            }
        })
    }

    /// A named template, and the text that it is in.
    fn find(&self, name: &str) -> Option<(&'a str, &'a [Node], Source<'a>)> {
        let mut own = self.template.defined.iter();
        let own = own.find(|(defined, nodes)| defined == name && !nodes.is_empty());
        if let Some((name, nodes)) = own {
            return Some((name, nodes, self.main));
        }
        self.library?.find(name)
    }

    fn call(
        &mut self,
        span: &Range<usize>,
        name: &str,
        argument: Option<&'a Pipeline>,
        dot: &Value,
    ) -> Result<(), Failed<'a>> {
        self.at = Place {
            span: span.clone(),
            position: span.start,
            shown: Some(format!("{{{{template {}}}}}", go::quote(name))),
        };
        let Some((name, nodes, source)) = self.find(name) else {
            return Err(self.fail(format!("template {} not defined", go::quote(name))));
        };
        let limit = self.budget.limits.depth;
        if self.depth >= limit {
            let message = format!("exceeded maximum template depth ({limit})");
            return Err(self.fail(message));
        }
        let dot = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        // A named template sees none of the caller's variables.
        let outside = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let caller = (self.running, self.source);
        (self.running, self.source) = (name, source);
        self.depth += 1;
        self.nodes(nodes, &dot)?;
        self.depth -= 1;
        (self.running, self.source) = caller;
        self.variables = outside;
        Ok(())
    }
}
