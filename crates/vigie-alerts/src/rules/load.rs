//! Reads rules from YAML, with the validation of Prometheus' loader (`model/rulefmt`, version 2.42).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::disjoint::disjoint;
use super::names::{is_label, is_metric};
use super::reader::{Field, Keys, Reader, field};
use super::{Entry, Expression, Group, Loaded, Outline, Rule, RuleFile, RuleKind};
use crate::finding::Finding;
use crate::lint::Lint;
use crate::template::{self, Template};
use crate::yaml::shown;
use crate::yaml::{self, Node, Text, Value};

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The maximum number of rules with the same name and labels that a rule is compared with.
const MAX_COMPARED: usize = 64;

const FILE: Keys = Keys {
    of: "a rule file",
    known: &["groups"],
    newer: &[],
};
const GROUP: Keys = Keys {
    of: "a group",
    known: &["name", "interval", "limit", "rules"],
    newer: &["query_offset", "labels"],
};
const RULE: Keys = Keys {
    of: "a rule",
    known: &[
        "alert",
        "record",
        "expr",
        "for",
        "keep_firing_for",
        "labels",
        "annotations",
    ],
    newer: &[],
};

/// Reads a rule file or a `PrometheusRule`: all valid rules, and a finding for each mistake.
#[must_use]
pub fn load(text: &str) -> Loaded {
    let mut loader = Loader::default();
    let mut groups = Vec::new();
    let mut parsed = false;
    if text.len() > MAX_FILE_BYTES {
        let title = format!("a file of more than {MAX_FILE_BYTES} bytes");
        loader.reader.find(Finding::new(
            Lint::FileSize,
            0..0,
            title,
            "rule files are smaller",
        ));
    } else {
        match yaml::parse(text) {
            Ok(document) => {
                loader.reader.findings.extend(document.findings);
                loader.outline.texts = document.texts;
                parsed = true;
                if let Some(span) = document.ignored {
                    let label = "Prometheus reads only the first document";
                    let finding =
                        Finding::new(Lint::SecondDocument, span, "a second document", label);
                    loader.reader.find(finding);
                }
                if let Some(root) = document.root {
                    loader.outline.start = root.span.start;
                    groups = loader.file(&root);
                }
            }
            Err(finding) => loader.reader.find(*finding),
        }
    }
    let expressions = &loader.expressions;
    let texts = &mut loader.outline.texts;
    texts.retain(|text| !expressions.contains(&text.start));
    let mut findings = loader.reader.findings;
    findings.sort_by_key(|finding| finding.span.start);
    Loaded {
        rules: RuleFile { groups },
        findings,
        outline: parsed.then_some(loader.outline),
    }
}

#[derive(Default)]
struct Loader {
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
        self.duplicates(&loaded);
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
            rules,
        })
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        self.outline.rules.push(node.span.clone());
        let fields = self.reader.fields(node, &RULE);
        let given = |name| field(&fields, name).filter(Field::has_text);
        let (alert, record) = (given("alert"), given("record"));
        for field in ["alert", "record"]
            .into_iter()
            .filter_map(|name| field(&fields, name))
        {
            if !field.has_text() && (!field.is_empty() || (alert.is_none() && record.is_none())) {
                // Reports an empty value or a wrong type.
                self.reader.text(field);
            }
        }
        match (alert, record) {
            (Some(alert), Some(record)) => {
                let title = "a rule with both `alert` and `record`";
                let finding = Finding::new(
                    Lint::AlertAndRecord,
                    record.key.span(),
                    title,
                    "one of them",
                );
                self.reader
                    .find(finding.also(alert.key.span(), "the other"));
            }
            (None, None) if !has(&fields, "alert") && !has(&fields, "record") => self
                .reader
                .missing(start(node), "alert` or `record", "a rule"),
            _ => {}
        }
        for name in ["alert", "record", "expr"] {
            if let Some(field) = given(name) {
                self.alias(field);
            }
        }
        let expr = match field(&fields, "expr") {
            Some(expr) => self.expr(expr),
            None => {
                self.reader.missing(start(node), "expr", "a rule");
                None
            }
        };
        let templated = record.is_none();
        let labels = self.entries(field(&fields, "labels"), "label", templated);
        let kind = match record {
            Some(record) => self.record(record, &fields),
            None => self.alert(alert, &fields),
        };
        Some(Rule {
            span: node.span.clone(),
            kind: kind?,
            expr: expr?,
            labels,
        })
    }

    fn record(&mut self, record: Field<'_>, fields: &[Field<'_>]) -> Option<RuleKind> {
        let annotations = self.entries(field(fields, "annotations"), "annotation", false);
        for name in ["for", "keep_firing_for", "annotations"] {
            let Some(field) = field(fields, name) else {
                continue;
            };
            let set = match name {
                "annotations" => !annotations.is_empty(),
                _ => self
                    .reader
                    .duration(field)
                    .is_some_and(|time| !time.is_zero()),
            };
            if set {
                let title = format!("`{name}` in a recording rule");
                self.reader.find(Finding::new(
                    Lint::AlertingOnly,
                    field.key.span(),
                    title,
                    "only alerts have it",
                ));
            }
        }
        let name = self.reader.text(record)?;
        if !is_metric(name) {
            let title = format!("`{}` is not a metric name", shown(name));
            let label = "letters, digits, `_` and `:`, not a digit first";
            self.reader
                .find(Finding::new(Lint::InvalidName, name.span(), title, label));
        }
        Some(RuleKind::Record { name: name.clone() })
    }

    fn alert(&mut self, alert: Option<Field<'_>>, fields: &[Field<'_>]) -> Option<RuleKind> {
        let name = alert.and_then(|alert| self.reader.text(alert)).cloned();
        let mut duration = |name| {
            let given = field(fields, name).and_then(|field| self.reader.duration(field));
            given.unwrap_or(Duration::ZERO)
        };
        let (hold, keep_firing) = (duration("for"), duration("keep_firing_for"));
        let annotations = self.entries(field(fields, "annotations"), "annotation", true);
        Some(RuleKind::Alert {
            name: name?,
            hold,
            keep_firing,
            annotations,
        })
    }

    /// Prometheus 2.42 does not resolve an alias here: it uses the name of the anchor as the value.
    fn alias(&mut self, field: Field<'_>) {
        if let Value::Alias(_) = field.value.value {
            let title = format!("`{}` is an alias", &**field.key);
            let label = "Prometheus 2.42 uses the name of the anchor as the value";
            let finding = Finding::new(Lint::Alias, field.value.span.clone(), title, label);
            self.reader
                .find(finding.help("write the value out".to_owned()));
        }
    }

    fn expr(&mut self, field: Field<'_>) -> Option<Expression> {
        let text = self.reader.text(field)?;
        self.expressions.insert(text.span().start);
        match vigie_promql::parse(text) {
            Ok(tree) => Some(Expression {
                text: text.clone(),
                tree,
            }),
            Err(error) => {
                self.reader
                    .find(not_promql(&error, text.locate(error.span.range())));
                None
            }
        }
    }

    fn entries(&mut self, from: Option<Field<'_>>, what: &str, templated: bool) -> Vec<Entry> {
        let Some(from) = from else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for field in self.reader.table(from.value, &format!("`{what}s`")) {
            if !is_label(field.key) || (what == "label" && &**field.key == "__name__") {
                let title = format!("`{}` is not a name for a {what}", shown(field.key));
                let label = "letters, digits and `_`, not a digit first";
                self.reader.find(Finding::new(
                    Lint::InvalidName,
                    field.key.span(),
                    title,
                    label,
                ));
            }
            let Some(value) = self.reader.any_text(field) else {
                continue;
            };
            let template = if templated {
                self.template(value)
            } else {
                None
            };
            entries.push(Entry {
                key: field.key.clone(),
                value: value.clone(),
                template,
            });
        }
        entries
    }

    fn template(&mut self, text: &Text) -> Option<Template> {
        match template::parse(text) {
            Ok(template) => Some(template),
            Err(error) => {
                let span = text.locate(error.span);
                let finding = Finding::new(Lint::TemplateSyntax, span, error.title, error.label);
                self.reader.find(finding.help(error.help));
                None
            }
        }
    }

    /// Reports rules with the same name and labels whose expressions can result in the same series: one would
    /// overwrite the other.
    fn duplicates(&mut self, groups: &[Group]) {
        let identity = |rule: &Rule| {
            let mut labels: Vec<_> = rule.labels.iter().collect();
            labels.sort_by_key(|label| label.key.to_string());
            let labels = labels
                .iter()
                .map(|label| format!("{:?}={:?}", &*label.key, &*label.value));
            let record = matches!(rule.kind, RuleKind::Record { .. });
            (record, rule.name().to_string(), labels.collect::<Vec<_>>())
        };
        let mut seen: HashMap<_, Vec<&Rule>> = HashMap::new();
        for rule in groups.iter().flat_map(|group| &group.rules) {
            let name = rule.name();
            let others = seen.entry(identity(rule)).or_default();
            let mut recent = others.iter().rev().take(MAX_COMPARED);
            let first = recent.find(|other| !disjoint(&other.expr.tree, &rule.expr.tree));
            let first = first.map(|other| other.name().span());
            others.push(rule);
            if let Some(first) = first {
                let title = format!("two rules result in `{}` with the same labels", shown(name));
                let finding = Finding::new(
                    Lint::DuplicateRule,
                    name.span(),
                    title,
                    "cannot be distinguished from the first",
                );
                self.reader.find(
                    finding
                        .also(first, "the first")
                        .help("give one of them another name or another label".to_owned()),
                );
            }
        }
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

fn has(fields: &[Field<'_>], name: &str) -> bool {
    field(fields, name).is_some()
}

/// `None` for a list item without a value, which Prometheus skips.
fn some(item: &Node) -> Option<&Node> {
    (!matches!(item.value, Value::Scalar(None))).then_some(item)
}

/// The start of a list item; the whole item is too long to show.
fn start(node: &Node) -> crate::finding::Span {
    node.span.start..node.span.start
}

pub(crate) fn not_promql(error: &vigie_promql::ParseError, span: crate::finding::Span) -> Finding {
    use vigie_promql::syntax::ParseErrorKind as Kind;
    let (lint, title) = match error.kind {
        Kind::Type => (Lint::Promql, "an expression of the wrong type"),
        Kind::UnknownFunction => (Lint::Promql, "an unknown function"),
        Kind::NotSupported => (Lint::NotChecked, "PromQL that Vigie does not support"),
        Kind::TooLong | Kind::TooDeep => (Lint::NotChecked, "an expression too large to check"),
        _ => (Lint::Promql, "this is not PromQL"),
    };
    Finding::new(lint, span, title, &*error.message)
}
