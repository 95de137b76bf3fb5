//! Reads values from YAML nodes and collects mistakes.

use std::rc::Rc;
use std::time::Duration;

use super::duration;
use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::suggest::{did_you_mean, listed};
use crate::yaml::{self, Document, Node, Text, Value, shown};

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The allowed keys of a table.
pub(crate) struct Keys {
    /// The name of the table, with its article.
    pub(crate) of: &'static str,
    pub(crate) known: &'static [&'static str],
}

/// The maximum depth of merge keys within merge keys.
const MAX_MERGE_DEPTH: usize = 32;

/// A key of a table with its value.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) key: &'a Text,
    pub(crate) value: &'a Node,
}

#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) findings: Vec<Finding>,
}

impl Reader {
    pub(crate) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The first document of a file, `what`; the only one that Prometheus and promtool read.
    pub(crate) fn document(&mut self, text: &str, what: &str) -> Option<Document> {
        if text.len() > MAX_FILE_BYTES {
            let title = format!("a file of more than {MAX_FILE_BYTES} bytes");
            let label = format!("{what} are smaller");
            self.find(Finding::new(Lint::FileSize, 0..0, title, label));
            return None;
        }
        match yaml::parse(text) {
            Ok(mut document) => {
                self.findings.append(&mut document.findings);
                if let Some(span) = document.ignored.take() {
                    let label = "Prometheus reads only the first document";
                    let title = "a second document";
                    self.find(Finding::new(Lint::SecondDocument, span, title, label));
                }
                Some(document)
            }
            Err(finding) => {
                self.find(*finding);
                None
            }
        }
    }

    /// The mistakes, in the order of the file.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.sort_by_key(|finding| finding.span.start);
        findings
    }

    /// The entries of a table with unique text keys. Null is an empty table.
    pub(crate) fn table<'a>(&mut self, node: &'a Node, what: &str) -> Vec<Field<'a>> {
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
    pub(crate) fn fields<'a>(&mut self, node: &'a Node, keys: &Keys) -> Vec<Field<'a>> {
        let mut fields = self.table(node, keys.of);
        fields.retain(|field| {
            let name: &str = field.key;
            if keys.known.contains(&name) {
                return true;
            }
            let title = format!("unknown key `{}` in {}", shown(name), keys.of);
            let known = format!("known: {}", listed(keys.known.iter().copied(), "and"));
            let help = did_you_mean(name, keys.known.iter().copied());
            let finding = Finding::new(Lint::UnknownKey, field.key.span(), title, known);
            self.findings.push(finding.help(help));
            false
        });
        fields
    }

    /// The items of a list. Null is an empty list.
    pub(crate) fn list<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Rc<Node>] {
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
    pub(crate) fn text<'a>(&mut self, field: Field<'a>) -> Option<&'a Text> {
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
    pub(crate) fn any_text<'a>(&mut self, field: Field<'a>) -> Option<&'a Text> {
        match &field.value.resolved().value {
            Value::Scalar(text) => text.as_ref(),
            _ => {
                self.wrong(field.value, &format!("`{}`", shown(field.key)), "a text");
                None
            }
        }
    }

    /// A duration, or `None` if the key has no value.
    pub(crate) fn duration(&mut self, field: Field<'_>) -> Option<Duration> {
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
    pub(crate) fn number(&mut self, field: Field<'_>) -> Option<i64> {
        let text = self.any_text(field)?;
        let parsed = text.integer();
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

    pub(crate) fn missing(&mut self, span: Span, key: &str, what: &str) {
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
    pub(crate) fn has_text(&self) -> bool {
        !self.is_empty() && matches!(self.value.resolved().value, Value::Scalar(_))
    }

    /// Whether the value is missing or an empty text.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.value.resolved().value {
            Value::Scalar(text) => text.as_deref().is_none_or(str::is_empty),
            _ => false,
        }
    }
}

/// The field of that name.
pub(crate) fn field<'a>(fields: &[Field<'a>], name: &str) -> Option<Field<'a>> {
    fields.iter().find(|field| **field.key == *name).copied()
}
