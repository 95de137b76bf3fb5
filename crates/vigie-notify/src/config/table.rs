//! A table of YAML whose keys are read one by one; the remaining ones are unknown.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use vigie_alerts::yaml::{Node, Text, Value};

use super::MAX_TIMEOUT;
use super::read::{Reader, did_you_mean};
use vigie_alerts::yaml::shown;

/// A table. Its accepted keys are those that are asked for.
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

impl<'r, 't, 'n> Table<'r, 't, 'n> {
    pub(super) fn new(
        reader: &'r Reader<'t>,
        what: &'static str,
        node: &'n Node,
        entries: Vec<(&'n Text, &'n Node)>,
    ) -> Self {
        let fields = entries.into_iter().map(|(key, value)| Field {
            key,
            value,
            taken: Cell::new(false),
        });
        Self {
            reader,
            what,
            span: node.span.start..node.span.start,
            fields: fields.collect(),
            known: RefCell::default(),
        }
    }

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

    /// The deadline of a delivery; zero if none is given.
    pub(super) fn timeout(&self) -> Duration {
        let most = MAX_TIMEOUT.as_secs();
        let accepted = format!("a duration of at most {most}s, as in 10s");
        let timeout = self.parsed("timeout", &accepted, |text| {
            super::duration::parse(text).filter(|timeout| *timeout <= MAX_TIMEOUT)
        });
        timeout.unwrap_or(Duration::ZERO)
    }

    pub(super) fn flag(&self, name: &'static str, default: bool) -> bool {
        self.maybe_flag(name).unwrap_or(default)
    }

    pub(super) fn maybe_flag(&self, name: &'static str) -> Option<bool> {
        self.parsed(name, "true or false, without quotes", Text::boolean)
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
