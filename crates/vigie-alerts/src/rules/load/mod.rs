//! Reads rules from YAML, with the validation of Prometheus' loader (`model/rulefmt`, version 2.42).

mod entries;
mod rule;

use std::collections::HashSet;

use vigie_promql::Features;

use super::duplicates::duplicates;
use super::reader::{Keys, Reader, field};
use super::{Group, Loaded, Outline, RuleFile};
use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::yaml::{Node, Value, shown};

const FILE: Keys = Keys {
    of: "a rule file",
    known: &["groups"],
};
const GROUP: Keys = Keys {
    of: "a group",
    known: &[
        "name",
        "interval",
        "limit",
        "rules",
        "query_offset",
        "labels",
    ],
};

/// The keys of a group that Prometheus 2.42 does not have.
const NEWER: [&str; 2] = ["query_offset", "labels"];

/// Reads a rule file or a `PrometheusRule`: all valid rules, and a finding for each mistake.
#[must_use]
pub fn load(text: &str) -> Loaded {
    load_with(text, Features::Stable)
}

/// As [`load`], with the part of PromQL that expressions may use.
#[must_use]
pub fn load_with(text: &str, features: Features) -> Loaded {
    let mut loader = Loader {
        features,
        ..Loader::default()
    };
    let mut groups = Vec::new();
    let document = loader.reader.document(text, "rule files");
    let parsed = document.is_some();
    if let Some(document) = document {
        loader.outline.texts = document.texts;
        if let Some(root) = document.root {
            loader.outline.start = root.span.start;
            groups = loader.file(&root);
        }
    }
    let expressions = &loader.expressions;
    let texts = &mut loader.outline.texts;
    texts.retain(|text| !expressions.contains(&text.start));
    Loaded {
        rules: RuleFile { groups },
        findings: loader.reader.into_findings(),
        outline: parsed.then_some(loader.outline),
    }
}

#[derive(Default)]
struct Loader {
    features: Features,
    reader: Reader,
    outline: Outline,
    /// The positions of expressions, in which comments are allowed.
    expressions: HashSet<usize>,
}

impl Loader {
    fn file(&mut self, root: &Node) -> Vec<Group> {
        let root = spec(root).unwrap_or(root);
        let fields = self.reader.fields(root, &FILE);
        let Some(groups) = field(&fields, "groups") else {
            return Vec::new();
        };
        let mut loaded: Vec<Group> = Vec::new();
        for node in self.reader.list(groups.value, "`groups`") {
            let Some(group) = some(node).and_then(|node| self.group(node)) else {
                continue;
            };
            if let Some(first) = loaded.iter().find(|other| *other.name == *group.name) {
                let title = format!("two groups are named `{}`", shown(&group.name));
                let finding = Finding::new(
                    Lint::DuplicateGroup,
                    group.name.span(),
                    title,
                    "the second one",
                );
                self.reader
                    .find(finding.also(first.name.span(), "the first one"));
            }
            loaded.push(group);
        }
        self.reader.findings.extend(duplicates(&loaded));
        loaded
    }

    fn group(&mut self, node: &Node) -> Option<Group> {
        self.outline.groups.push(node.span.clone());
        let fields = self.reader.fields(node, &GROUP);
        let name = match field(&fields, "name") {
            Some(name) => self.reader.text(name).cloned(),
            None => {
                self.reader.missing(start(node), "name", "a group");
                None
            }
        };
        let interval = field(&fields, "interval").and_then(|field| self.reader.duration(field));
        let limit = field(&fields, "limit").and_then(|field| self.reader.number(field));
        let query_offset =
            field(&fields, "query_offset").and_then(|field| self.reader.duration(field));
        let labels = self.entries(field(&fields, "labels"), "label", true);
        let newer = NEWER.iter().filter_map(|name| field(&fields, name));
        let newer = newer.map(|field| field.key.clone()).collect();
        let rules = field(&fields, "rules").map(|field| field.value);
        let rules = rules.map_or(&[][..], |node| self.reader.list(node, "`rules`"));
        let rules: Vec<_> = rules
            .iter()
            .filter_map(|node| some(node))
            .filter_map(|node| self.rule(node))
            .collect();
        Some(Group {
            name: name?,
            interval: interval.filter(|interval| !interval.is_zero()),
            limit: limit.map_or(0, |limit| limit.max(0).unsigned_abs()),
            query_offset,
            labels,
            newer,
            rules,
        })
    }
}

/// The `spec` of a `PrometheusRule`, the resource of the Prometheus Operator, which is a rule file.
fn spec(root: &Node) -> Option<&Node> {
    let Value::Table(entries) = &root.value else {
        return None;
    };
    let value = |name: &str| {
        let mut entries = entries.iter();
        let entry = entries
            .find(|(key, _)| matches!(&key.value, Value::Scalar(Some(key)) if **key == *name));
        entry.map(|(_, value)| &**value)
    };
    let kind = &value("kind")?.value;
    let resource = matches!(kind, Value::Scalar(Some(kind)) if &**kind == "PrometheusRule");
    resource.then(|| value("spec")).flatten()
}

/// `None` for a list item without a value, which Prometheus skips.
fn some(item: &Node) -> Option<&Node> {
    (!matches!(item.value, Value::Scalar(None))).then_some(item)
}

/// The start of a list item; the whole item is too long to show.
fn start(node: &Node) -> Span {
    node.span.start..node.span.start
}
