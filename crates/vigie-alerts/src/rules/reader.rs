//! Takes values out of YAML nodes and collects what does not fit.

use std::rc::Rc;
use std::time::Duration;

use super::duration;
use crate::finding::{Finding, Span};
use crate::suggest::{did_you_mean, listed};
use crate::yaml::{Node, Text, Value};

/// The keys of a table: those that are known, and those that only a newer Prometheus knows.
pub(super) struct Keys {
    /// What the table is, with its article.
    pub(super) of: &'static str,
    pub(super) known: &'static [&'static str],
    pub(super) newer: &'static [&'static str],
}

/// A key of a table with its value.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) key: &'a Text,
    pub(super) value: &'a Node,
}

#[derive(Default)]
pub(super) struct Reader {
    pub(super) findings: Vec<Finding>,
}

impl Reader {
    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The entries of a table with text keys, each key once. Nothing is an empty table.
    pub(super) fn table<'a>(&mut self, node: &'a Node, what: &str) -> Vec<Field<'a>> {
        let entries = match &node.value {
            Value::Table(entries) => entries,
            Value::Scalar(None) => return Vec::new(),
            _ => {
                self.wrong(node, what, "a table (`key: value`)");
                return Vec::new();
            }
        };
        let mut fields: Vec<Field<'a>> = Vec::new();
        for (key, value) in entries {
            let Value::Scalar(Some(name)) = &key.value else {
                self.wrong(key, "a key", "a text");
                continue;
            };
            if &**name == "<<" {
                let title = "a merge key (`<<`)";
                self.find(Finding::new(name.span(), title, "write the keys out"));
                continue;
            }
            match fields.iter().find(|field| **field.key == **name) {
                Some(first) => {
                    let title = format!("`{}` is given twice", shown(name));
                    let finding = Finding::new(name.span(), title, "the second time");
                    self.find(finding.also(first.key.span(), "the first time"));
                }
                None => fields.push(Field { key: name, value }),
            }
        }
        fields
    }

    /// The same, of a table whose keys are fixed.
    pub(super) fn fields<'a>(&mut self, node: &'a Node, keys: &Keys) -> Vec<Field<'a>> {
        let mut fields = self.table(node, keys.of);
        fields.retain(|field| {
            let name: &str = field.key;
            if keys.known.contains(&name) {
                return true;
            }
            let span = field.key.span();
            self.findings.push(if keys.newer.contains(&name) {
                let title = format!("`{name}` in {} needs a newer Prometheus", keys.of);
                Finding::new(span, title, "Prometheus 2.42 refuses the whole file for it")
            } else {
                let title = format!("unknown key `{}` in {}", shown(name), keys.of);
                let known = format!("known: {}", listed(keys.known.iter().copied(), "and"));
                let help = did_you_mean(name, keys.known.iter().copied());
                Finding::new(span, title, known).help(help)
            });
            false
        });
        fields
    }

    /// The items of a list. Nothing is an empty list.
    pub(super) fn list<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Rc<Node>] {
        match &node.value {
            Value::List(items) => items,
            Value::Scalar(None) => &[],
            _ => {
                self.wrong(node, what, "a list (`- item`)");
                &[]
            }
        }
    }

    /// A text that says something.
    pub(super) fn text<'a>(&mut self, field: Field<'a>) -> Option<&'a Text> {
        match &field.value.value {
            Value::Scalar(Some(text)) if !text.trim().is_empty() => Some(text),
            Value::Scalar(_) => {
                let title = format!("`{}` is empty", shown(field.key));
                self.find(Finding::new(field.key.span(), title, "needs a value"));
                None
            }
            _ => {
                self.wrong(field.value, &format!("`{}`", shown(field.key)), "a text");
                None
            }
        }
    }

    /// A duration; zero where the key has no value.
    pub(super) fn duration(&mut self, field: Field<'_>) -> Option<Duration> {
        let text = self.text(field)?;
        let parsed = duration::parse(text);
        if parsed.is_none() {
            let title = format!("`{}` is no duration", shown(text));
            let label = "as in 30s, 5m, 1h30m: y, w, d, h, m, s, ms, in this order";
            self.find(Finding::new(text.span(), title, label));
        }
        parsed
    }

    pub(super) fn number(&mut self, field: Field<'_>) -> Option<u64> {
        let text = self.text(field)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let title = format!("`{}` is no number", shown(text));
            self.find(Finding::new(
                text.span(),
                title,
                "a whole number, 0 or more",
            ));
        }
        parsed
    }

    pub(super) fn missing(&mut self, span: Span, key: &str, what: &str) {
        let title = format!("{what} without `{key}`");
        self.find(Finding::new(span, title, format!("needs `{key}`")));
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let title = format!("{what} is {}", node.described());
        self.find(Finding::new(
            first_line(node),
            title,
            format!("must be {wanted}"),
        ));
    }
}

/// A list or table may be long; its beginning says enough.
fn first_line(node: &Node) -> Span {
    match node.value {
        Value::Scalar(_) => node.span.clone(),
        _ => node.span.start..node.span.start,
    }
}

/// A text short enough for a title.
pub(super) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let start: String = line.chars().take(60).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", start.escape_debug())
}

/// The field of that name.
pub(super) fn field<'a>(fields: &[Field<'a>], name: &str) -> Option<Field<'a>> {
    fields.iter().find(|field| **field.key == *name).copied()
}
