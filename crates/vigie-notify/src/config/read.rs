//! Takes values out of YAML tables and collects mistakes.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use vigie_alerts::yaml::{Node, Text, Value};

use crate::problem::{Problem, position};

/// How many merge keys may refer to tables with merge keys, one within the other.
const MAX_MERGE_DEPTH: usize = 32;
/// After how many mistakes no more are collected.
const MAX_PROBLEMS: usize = 100;

/// The file being read, and the mistakes found.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

/// A table whose keys are taken one by one; those not taken are unknown.
pub(super) struct Table<'r, 't, 'n> {
    reader: &'r Reader<'t>,
    /// The table, with its article.
    what: &'static str,
    pub(super) span: Range<usize>,
    fields: Vec<Field<'n>>,
    known: RefCell<Vec<&'static str>>,
}

struct Field<'n> {
    key: &'n Text,
    value: &'n Node,
    taken: Cell<bool>,
}

/// A value that is not null, with its key.
#[derive(Clone, Copy)]
pub(super) struct Given<'n> {
    pub(super) key: &'n Text,
    pub(super) node: &'n Node,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            problems: RefCell::default(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.span.start);
        problems
    }

    pub(super) fn problem(
        &self,
        span: Range<usize>,
        found: impl Into<String>,
        accepted: impl Into<String>,
        help: Option<String>,
    ) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() == MAX_PROBLEMS {
            return;
        }
        let (line, column) = position(self.text, span.start);
        problems.push(Problem {
            span,
            line,
            column,
            found: found.into(),
            accepted: accepted.into(),
            help,
        });
    }

    pub(super) fn wrong(&self, node: &Node, what: &str, wanted: &str) {
        let found = format!("{what} is {}", node.described());
        self.problem(first_line(node), found, format!("must be {wanted}"), None);
    }

    /// The keys of a table. Nothing is an empty table; what is no table is a mistake.
    pub(super) fn table<'r, 'n>(
        &'r self,
        node: &'n Node,
        what: &'static str,
    ) -> Option<Table<'r, 't, 'n>> {
        let fields = self.entries(node, what)?;
        let fields = fields.into_iter().map(|(key, value)| Field {
            key,
            value,
            taken: Cell::new(false),
        });
        Some(Table {
            reader: self,
            what,
            span: node.span.start..node.span.start,
            fields: fields.collect(),
            known: RefCell::default(),
        })
    }

    /// The keys and values of a table with any text keys, each key once.
    pub(super) fn entries<'n>(
        &self,
        node: &'n Node,
        what: &str,
    ) -> Option<Vec<(&'n Text, &'n Node)>> {
        self.merged(node, what, 0)
    }

    fn merged<'n>(
        &self,
        node: &'n Node,
        what: &str,
        depth: usize,
    ) -> Option<Vec<(&'n Text, &'n Node)>> {
        let entries = match &node.resolved().value {
            Value::Table(entries) => entries,
            Value::Scalar(None) => return Some(Vec::new()),
            _ => {
                self.wrong(node, what, "a table (`key: value`)");
                return None;
            }
        };
        if depth > MAX_MERGE_DEPTH {
            let accepted = format!("at most {MAX_MERGE_DEPTH} levels of merge keys");
            self.problem(first_line(node), "nested too deep", accepted, None);
            return None;
        }
        let mut fields: Vec<(&Text, &Node)> = Vec::new();
        let mut merge = None;
        for (key, value) in entries {
            let Value::Scalar(Some(name)) = &key.resolved().value else {
                self.wrong(key, "a key", "a text");
                continue;
            };
            if &**name == "<<" && name.is_plain() {
                merge = Some(&**value);
            } else if fields.iter().any(|(known, _)| known[..] == name[..]) {
                let found = format!("`{}` is given twice", shown(name));
                self.problem(name.span(), found, "a key is given once", None);
            } else {
                fields.push((name, value));
            }
        }
        let tables: Vec<&Node> = match merge.map(|node| (&node.resolved().value, node)) {
            None => Vec::new(),
            Some((Value::List(items), _)) => items.iter().map(|item| &**item).collect(),
            Some((_, node)) => vec![node],
        };
        for table in tables {
            for (key, value) in self.merged(table, "a merge key (`<<`)", depth + 1)? {
                if !fields.iter().any(|(known, _)| known[..] == key[..]) {
                    fields.push((key, value));
                }
            }
        }
        Some(fields)
    }

    /// The items of a list. Nothing is an empty list.
    pub(super) fn list<'n>(&self, node: &'n Node, what: &str) -> &'n [Rc<Node>] {
        match &node.resolved().value {
            Value::List(items) => items,
            Value::Scalar(None) => &[],
            _ => {
                self.wrong(node, what, "a list (`- item`)");
                &[]
            }
        }
    }

    /// A text; numbers and the like are texts, too.
    pub(super) fn text<'n>(&self, node: &'n Node, what: &str) -> Option<&'n Text> {
        match &node.resolved().value {
            Value::Scalar(Some(text)) => Some(text),
            _ => {
                self.wrong(node, what, "a text");
                None
            }
        }
    }
}

impl<'r, 't, 'n> Table<'r, 't, 'n> {
    pub(super) fn reader(&self) -> &'r Reader<'t> {
        self.reader
    }

    /// The value of a key; `None` if the key is absent or has no value.
    pub(super) fn take(&self, name: &'static str) -> Option<Given<'n>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&name) {
            known.push(name);
        }
        let field = self.fields.iter().find(|field| **field.key == *name)?;
        field.taken.set(true);
        let null = matches!(field.value.resolved().value, Value::Scalar(None));
        (!null).then_some(Given {
            key: field.key,
            node: field.value,
        })
    }

    pub(super) fn text(&self, name: &'static str) -> Option<&'n Text> {
        let given = self.take(name)?;
        self.reader.text(given.node, &format!("`{name}`"))
    }

    /// A text or its default.
    pub(super) fn string(&self, name: &'static str, default: &str) -> String {
        let text = self.text(name);
        text.map_or(default, |text| &**text).to_owned()
    }

    /// A text that is not empty, if it is given.
    pub(super) fn filled(&self, name: &'static str) -> Option<&'n Text> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &'static str) -> Option<&'n Text> {
        if let Some(given) = self.take(name) {
            let text = self.reader.text(given.node, &format!("`{name}`"))?;
            if !text.is_empty() {
                return Some(text);
            }
        }
        self.missing(name);
        None
    }

    pub(super) fn missing(&self, name: &str) {
        let found = format!("{} without `{name}`", self.what);
        self.reader
            .problem(self.span.clone(), found, format!("needs `{name}`"), None);
    }

    /// The second key if both are given: a mistake.
    pub(super) fn exclusive(&self, first: &str, second: &str) {
        let given = |name: &str| {
            let field = self.fields.iter().find(|field| **field.key == *name)?;
            let filled = match &field.value.resolved().value {
                Value::Scalar(text) => text.as_deref().is_some_and(|text| !text.is_empty()),
                _ => true,
            };
            filled.then_some(field.key)
        };
        if let (Some(_), Some(key)) = (given(first), given(second)) {
            let found = format!("both `{first}` and `{second}` in {}", self.what);
            self.reader
                .problem(key.span(), found, "one of them is accepted", None);
        }
    }

    /// A value that `parse` reads; otherwise a mistake with what is accepted.
    pub(super) fn parsed<T>(
        &self,
        name: &'static str,
        accepted: &str,
        parse: impl FnOnce(&Text) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let parsed = parse(text);
        if parsed.is_none() {
            let found = format!("`{name}` is `{}`", shown(text));
            self.reader
                .problem(text.span(), found, format!("accepted: {accepted}"), None);
        }
        parsed
    }

    /// A duration as Prometheus writes it.
    pub(super) fn duration(&self, name: &'static str) -> Option<Duration> {
        let accepted = "a duration as in 30s, 5m or 1h30m, with y, w, d, h, m, s, ms in this order";
        self.parsed(name, accepted, |text| vigie_alerts::parse_duration(text))
    }

    /// A duration as Go writes it.
    pub(super) fn go_duration(&self, name: &'static str) -> Option<Duration> {
        let accepted = "a duration as in 10s, 1.5m or 1h30m";
        self.parsed(name, accepted, |text| super::duration::parse(text))
    }

    pub(super) fn flag(&self, name: &'static str, default: bool) -> bool {
        self.maybe_flag(name).unwrap_or(default)
    }

    pub(super) fn maybe_flag(&self, name: &'static str) -> Option<bool> {
        self.parsed(name, "true or false, without quotes", |text| {
            match (text.is_plain(), text.to_ascii_lowercase().as_str()) {
                (true, "true" | "yes" | "on" | "y") => Some(true),
                (true, "false" | "no" | "off" | "n") => Some(false),
                _ => None,
            }
        })
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Option<T> {
        let accepted = "a whole number without quotes";
        self.parsed(name, accepted, |text| {
            text.is_plain().then(|| text.parse().ok())?
        })
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &'static str) -> Vec<String> {
        let texts = self.text_nodes(name).into_iter();
        texts.map(|text| text.to_string()).collect()
    }

    /// The same, with positions.
    pub(super) fn text_nodes(&self, name: &'static str) -> Vec<&'n Text> {
        let Some(given) = self.take(name) else {
            return Vec::new();
        };
        let what = format!("an item of `{name}`");
        let items = self.reader.list(given.node, &format!("`{name}`")).iter();
        items
            .filter_map(|item| self.reader.text(item, &what))
            .collect()
    }

    /// A list of tables.
    pub(super) fn tables(&self, name: &'static str, what: &'static str) -> Vec<Table<'r, 't, 'n>> {
        let Some(given) = self.take(name) else {
            return Vec::new();
        };
        let items = self.reader.list(given.node, &format!("`{name}`")).iter();
        items
            .filter_map(|item| self.reader.table(item, what))
            .collect()
    }

    /// Reports the keys that were not taken. `elsewhere` are those that Alertmanager has and Vigie does not.
    pub(super) fn finish(self, elsewhere: &[&str]) {
        let known = self.known.into_inner();
        for field in self.fields.iter().filter(|field| !field.taken.get()) {
            let name: &str = field.key;
            let (found, help) = if elsewhere.contains(&name) {
                (format!("`{name}` in {} is not supported", self.what), None)
            } else {
                let found = format!("unknown key `{}` in {}", shown(name), self.what);
                (found, did_you_mean(name, &known))
            };
            let accepted = format!("accepted: {}", known.join(", "));
            self.reader.problem(field.key.span(), found, accepted, help);
        }
    }
}

/// The known name nearest to `typed`, if it is near enough.
pub(super) fn did_you_mean(typed: &str, known: &[&str]) -> Option<String> {
    // Names are never so long; the distance costs the product of the lengths.
    if typed.len() > 128 {
        return None;
    }
    let near = (typed.chars().count() / 3).max(1);
    let distances = known
        .iter()
        .map(|name| (strsim::osa_distance(typed, name), name));
    let (_, nearest) = distances.filter(|(distance, _)| *distance <= near).min()?;
    Some(format!("did you mean `{nearest}`?"))
}

/// A list or table may be long; its beginning says enough.
fn first_line(node: &Node) -> Range<usize> {
    match node.value {
        Value::Scalar(_) | Value::Alias(_) => node.span.clone(),
        _ => node.span.start..node.span.start,
    }
}

/// A text short enough for a message.
pub(super) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let start: String = line.chars().take(60).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", start.escape_debug())
}
