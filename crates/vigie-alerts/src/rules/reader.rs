//! Reads values from YAML nodes and collects mistakes.

use std::rc::Rc;
use std::time::Duration;

use super::duration;
use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::suggest::{did_you_mean, listed};
use crate::yaml::{Node, Text, Value, shown};

/// The allowed keys of a table, and those of newer versions of Prometheus.
pub(super) struct Keys {
    /// The name of the table, with its article.
    pub(super) of: &'static str,
    pub(super) known: &'static [&'static str],
    pub(super) newer: &'static [&'static str],
}

/// The maximum depth of merge keys within merge keys.
const MAX_MERGE_DEPTH: usize = 32;

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

    /// The entries of a table with unique text keys. Null is an empty table.
    pub(super) fn table<'a>(&mut self, node: &'a Node, what: &str) -> Vec<Field<'a>> {
        self.merged(node, what, 0)
    }

    fn merged<'a>(&mut self, node: &'a Node, what: &str, depth: usize) -> Vec<Field<'a>> {
        let entries = match &node.resolved().value {
            Value::Table(entries) => entries,
            Value::Scalar(None) => return Vec::new(),
            _ => {
                self.wrong(node, what, "a table (`key: value`)");
                return Vec::new();
            }
        };
        let mut fields: Vec<Field<'a>> = Vec::new();
        let mut merge: Option<Field<'a>> = None;
        for (key, value) in entries {
            let Value::Scalar(Some(name)) = &key.resolved().value else {
                self.wrong(key, "a key", "a text");
                continue;
            };
            if &**name == "<<" && name.is_plain() {
                if let Some(first) = merge {
                    self.twice(name, first.key);
                }
                merge = Some(Field { key: name, value });
                continue;
            }
            match fields.iter().find(|field| **field.key == **name) {
                Some(first) => self.twice(name, first.key),
                None => fields.push(Field { key: name, value }),
            }
        }
        if let Some(merge) = merge {
            self.merge(merge, what, depth, &mut fields);
        }
        fields
    }

    /// Adds the entries of a merge key (`<<`); existing entries take precedence.
    fn merge<'a>(
        &mut self,
        merge: Field<'a>,
        what: &str,
        depth: usize,
        fields: &mut Vec<Field<'a>>,
    ) {
        if depth == MAX_MERGE_DEPTH {
            let label = format!("at most {MAX_MERGE_DEPTH} levels of merge keys");
            self.find(Finding::new(
                Lint::Yaml,
                merge.key.span(),
                "nested too deep",
                label,
            ));
            return;
        }
        let value = merge.value.resolved();
        let tables: Vec<&Node> = match &value.value {
            // Only a literal list is accepted: Prometheus refuses an alias of a list.
            Value::List(items) if std::ptr::eq(value, merge.value) => {
                items.iter().map(|item| &**item).collect()
            }
            _ => vec![merge.value],
        };
        for table in tables {
            if !matches!(table.resolved().value, Value::Table(_)) {
                self.wrong(table, "a merge key (`<<`)", "a table or a list of tables");
                continue;
            }
            for field in self.merged(table, what, depth + 1) {
                if !fields.iter().any(|known| **known.key == **field.key) {
                    fields.push(field);
                }
            }
        }
    }

    fn twice(&mut self, second: &Text, first: &Text) {
        let title = format!("`{}` is given twice", shown(second));
        let finding = Finding::new(Lint::DuplicateKey, second.span(), title, "the second time");
        self.find(finding.also(first.span(), "the first time"));
    }

    /// The entries of a table with fixed keys.
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
                Finding::new(
                    Lint::NewerPrometheus,
                    span,
                    title,
                    "Prometheus 2.42 refuses the whole file for it",
                )
            } else {
                let title = format!("unknown key `{}` in {}", shown(name), keys.of);
                let known = format!("known: {}", listed(keys.known.iter().copied(), "and"));
                let help = did_you_mean(name, keys.known.iter().copied());
                Finding::new(Lint::UnknownKey, span, title, known).help(help)
            });
            false
        });
        fields
    }

    /// The items of a list. Null is an empty list.
    pub(super) fn list<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Rc<Node>] {
        match &node.resolved().value {
            Value::List(items) => items,
            Value::Scalar(None) => &[],
            _ => {
                self.wrong(node, what, "a list (`- item`)");
                &[]
            }
        }
    }

    /// A text that is not empty.
    pub(super) fn text<'a>(&mut self, field: Field<'a>) -> Option<&'a Text> {
        if field.is_empty() {
            let title = format!("`{}` is empty", shown(field.key));
            self.find(Finding::new(
                Lint::EmptyValue,
                field.key.span(),
                title,
                "needs a value",
            ));
            return None;
        }
        self.any_text(field)
    }

    /// A text, or `None` if the key has no value.
    pub(super) fn any_text<'a>(&mut self, field: Field<'a>) -> Option<&'a Text> {
        match &field.value.resolved().value {
            Value::Scalar(text) => text.as_ref(),
            _ => {
                self.wrong(field.value, &format!("`{}`", shown(field.key)), "a text");
                None
            }
        }
    }

    /// A duration, or `None` if the key has no value.
    pub(super) fn duration(&mut self, field: Field<'_>) -> Option<Duration> {
        let text = self.any_text(field)?;
        let parsed = duration::parse(text);
        if parsed.is_none() {
            let title = format!("`{}` is not a duration", shown(text));
            let label = "as in 30s, 5m, 1h30m: y, w, d, h, m, s, ms, in this order";
            self.find(Finding::new(Lint::InvalidValue, text.span(), title, label));
        }
        parsed
    }

    /// A number, or `None` if the key has no value.
    pub(super) fn number(&mut self, field: Field<'_>) -> Option<i64> {
        let text = self.any_text(field)?;
        let parsed = integer(text).filter(|_| text.is_plain());
        if parsed.is_none() {
            let title = format!("`{}` is not a number", shown(text));
            self.find(Finding::new(
                Lint::InvalidValue,
                text.span(),
                title,
                "a whole number without quotes",
            ));
        }
        parsed
    }

    pub(super) fn missing(&mut self, span: Span, key: &str, what: &str) {
        let title = format!("{what} without `{key}`");
        self.find(Finding::new(
            Lint::MissingKey,
            span,
            title,
            format!("needs `{key}`"),
        ));
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let title = format!("{what} is {}", node.described());
        self.find(Finding::new(
            Lint::WrongType,
            node.start(),
            title,
            format!("must be {wanted}"),
        ));
    }
}

impl Field<'_> {
    /// Whether the value is a non-empty text.
    pub(super) fn has_text(&self) -> bool {
        !self.is_empty() && matches!(self.value.resolved().value, Value::Scalar(_))
    }

    /// Whether the value is missing or an empty text.
    pub(super) fn is_empty(&self) -> bool {
        match &self.value.resolved().value {
            Value::Scalar(text) => text.as_deref().is_none_or(str::is_empty),
            _ => false,
        }
    }
}

/// Parses a number as in YAML 1.1; a fraction is truncated, as Prometheus does.
fn integer(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            let magnitude = i64::from_str_radix(digits, radix);
            return magnitude.ok().map(|magnitude| sign * magnitude);
        }
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number = text.parse::<f64>().ok()?;
    // 2^63 is the first number that does not fit.
    (number.abs() < 9_223_372_036_854_775_808.0).then_some(number as i64)
}

/// The field of that name.
pub(super) fn field<'a>(fields: &[Field<'a>], name: &str) -> Option<Field<'a>> {
    fields.iter().find(|field| **field.key == *name).copied()
}
