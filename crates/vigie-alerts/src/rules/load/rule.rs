//! Reads one rule.

use std::time::Duration;

use super::super::names::is_metric;
use super::super::reader::{Field, Keys, field};
use super::super::{Expression, Rule, RuleKind};
use super::{Loader, start};
use crate::finding::Finding;
use crate::lint::Lint;
use crate::yaml::{Node, Value, shown};

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
};

impl Loader {
    pub(super) fn rule(&mut self, node: &Node) -> Option<Rule> {
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
        match vigie_promql::parse_with(text, self.features) {
            Ok(tree) => Some(Expression {
                text: text.clone(),
                tree,
            }),
            Err(error) => {
                self.reader
                    .find(Finding::not_promql(&error, text.locate(error.span.range())));
                None
            }
        }
    }
}

fn has(fields: &[Field<'_>], name: &str) -> bool {
    field(fields, name).is_some()
}
