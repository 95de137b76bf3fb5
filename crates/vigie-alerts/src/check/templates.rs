//! Finds template values that do not exist. Prometheus then writes `<no value>` or `<error expanding template: …>`
//! into the alert.

mod command;

use super::known::Known;
use super::labels::Labels;
use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::suggest::{did_you_mean, listed};
use crate::template::{Branch, Name, Node, Operand, OperandKind, Pipeline, Template};

/// The inferred type of a value.
#[derive(Clone)]
enum Shape {
    /// The data of a template: `.Labels`, `.Value`, …
    Root,
    /// The labels of a series.
    Labels(Labels),
    /// One result of `query`.
    Sample(Labels),
    /// All results of `query`.
    Samples(Labels),
    Unknown,
}

/// The findings of a template; their spans are positions in `text`.
pub(super) fn check(
    template: &Template,
    text: &str,
    labels: &Labels,
    known: &Known,
) -> Vec<Finding> {
    let mut checker = Checker {
        text,
        labels,
        known,
        variables: vec![
            ("$".to_owned(), Shape::Root),
            ("$labels".to_owned(), Shape::Labels(labels.clone())),
        ],
        findings: Vec::new(),
    };
    checker.nodes(&template.nodes, &Shape::Root);
    // The callers of a named template determine its dot.
    checker.variables = Vec::new();
    for (_, nodes) in &template.defined {
        checker.nodes(nodes, &Shape::Unknown);
    }
    checker.findings
}

struct Checker<'a> {
    text: &'a str,
    labels: &'a Labels,
    known: &'a Known,
    variables: Vec<(String, Shape)>,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Shape) {
        for node in nodes {
            match node {
                Node::Action(pipeline) => {
                    self.pipeline(pipeline, dot, false);
                }
                Node::If(branch) => {
                    let outside = self.variables.len();
                    self.pipeline(&branch.pipeline, dot, false);
                    self.branch(branch, dot, dot, outside);
                }
                Node::With(branch) => {
                    let outside = self.variables.len();
                    let value = self.pipeline(&branch.pipeline, dot, false);
                    self.branch(branch, &value, dot, outside);
                }
                Node::Range(branch) => {
                    let outside = self.variables.len();
                    let value = self.pipeline(&branch.pipeline, dot, true);
                    self.branch(branch, &item(value), dot, outside);
                }
                Node::Template { argument, .. } => {
                    if let Some(argument) = argument {
                        self.pipeline(argument, dot, false);
                    }
                }
                Node::Text(_) | Node::Break | Node::Continue => {}
            }
        }
    }

    fn branch(&mut self, branch: &Branch, inside: &Shape, outside: &Shape, variables: usize) {
        let declared = self.variables.len();
        self.nodes(&branch.body, inside);
        self.variables.truncate(declared);
        self.nodes(&branch.otherwise, outside);
        self.variables.truncate(variables);
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Shape, range: bool) -> Shape {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped.as_ref(), dot));
        }
        let value = piped.unwrap_or(Shape::Unknown);
        if pipeline.declares {
            let names: Vec<_> = pipeline.variables.iter().map(|name| &name.text).collect();
            match names[..] {
                [index, each] => {
                    self.variables.push((index.clone(), Shape::Unknown));
                    self.variables.push((each.clone(), item(value.clone())));
                }
                [name] if range => self.variables.push((name.clone(), item(value.clone()))),
                [name] => self.variables.push((name.clone(), value.clone())),
                _ => {}
            }
        }
        value
    }

    fn operand(&mut self, operand: &Operand, dot: &Shape) -> Shape {
        let mut shape = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map_or(Shape::Unknown, |(_, shape)| shape.clone())
            }
            OperandKind::Paren(pipeline) => {
                let outside = self.variables.len();
                let shape = self.pipeline(pipeline, dot, false);
                self.variables.truncate(outside);
                shape
            }
            _ => Shape::Unknown,
        };
        for field in &operand.fields {
            shape = self.field(&shape, field);
        }
        shape
    }

    fn field(&mut self, shape: &Shape, field: &Name) -> Shape {
        let name = field.text.as_str();
        match shape {
            Shape::Root => {
                let fields = ["Labels", "Value", "ExternalLabels", "ExternalURL"];
                self.one_of(field, &fields);
                match name {
                    "Labels" => Shape::Labels(self.labels.clone()),
                    _ => Shape::Unknown,
                }
            }
            Shape::Sample(labels) => {
                self.one_of(field, &["Labels", "Value"]);
                match name {
                    "Labels" => Shape::Labels(labels.clone()),
                    _ => Shape::Unknown,
                }
            }
            Shape::Labels(labels) => {
                self.label(labels, name, field.span.clone());
                Shape::Unknown
            }
            Shape::Samples(_) => {
                let title = format!("`.{name}` of a list");
                let label = "use `first`, or `range` over it";
                self.findings.push(Finding::new(
                    Lint::TemplateValue,
                    field.span.clone(),
                    title,
                    label,
                ));
                Shape::Unknown
            }
            Shape::Unknown => Shape::Unknown,
        }
    }

    fn label(&mut self, labels: &Labels, name: &str, span: Span) {
        if labels.has(name) {
            return;
        }
        let title = format!("unknown label `{name}`");
        let finding = Finding::new(Lint::UnknownLabel, span, title, labels.described());
        let help = did_you_mean(name, labels.candidates());
        self.findings.push(finding.help(help));
    }

    fn one_of(&mut self, field: &Name, known: &[&str]) {
        if known.contains(&field.text.as_str()) {
            return;
        }
        let title = format!("unknown field `.{}`", field.text);
        let label = format!("known fields: {}", listed(known.iter().copied(), "and"));
        let finding = Finding::new(Lint::TemplateValue, field.span.clone(), title, label);
        let help = did_you_mean(&field.text, known.iter().copied());
        self.findings.push(finding.help(help));
    }
}

/// The type of the items of a `range`.
fn item(shape: Shape) -> Shape {
    match shape {
        Shape::Samples(labels) => Shape::Sample(labels),
        _ => Shape::Unknown,
    }
}
