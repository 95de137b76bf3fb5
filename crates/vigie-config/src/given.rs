//! Configured values, each with the place where it was given.

use std::collections::BTreeMap;
use std::ops::Range;

use vigie_redis::redact;

/// A range of bytes in the configuration file.
pub(crate) type Span = Range<usize>;

/// Where a value was given.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(Span),
    Env(String),
    Flag(&'static str),
}

/// A value before its key is parsed. Not `Debug`: it may be a secret.
#[derive(Clone)]
pub(crate) enum Value {
    /// Text from a variable or a flag, where values have no type.
    Untyped(String),
    String(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Given>),
    /// Only as an item of a list; elsewhere a table is a section.
    Table(Vec<Given>),
    /// A type that no key accepts, by its name.
    Other(&'static str),
}

/// A value with the place of its key and its own place.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) key: Place,
    pub(crate) place: Place,
}

impl Given {
    /// A value from a variable or a flag.
    pub(crate) fn untyped(text: &str, place: Place) -> Self {
        Self {
            value: Value::Untyped(text.to_owned()),
            key: place.clone(),
            place,
        }
    }

    /// The value as text, if it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Untyped(text) | Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Describes the value for a message. Text that may contain a secret is not shown.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Untyped(text) | Value::String(text) if text.is_empty() => "an empty text".into(),
            Value::Untyped(text) | Value::String(text) if may_hide_secret(text) => {
                "a text that is not shown".into()
            }
            Value::Untyped(text) | Value::String(text) => {
                let start: String = text.chars().take(60).collect();
                let more = if start.len() < text.len() { "…" } else { "" };
                format!("{start:?}{more}")
            }
            Value::Integer(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::List(_) => "a list".into(),
            Value::Table(_) => "a table".into(),
            Value::Other(name) => (*name).into(),
        }
    }

    /// The places of all scalar values in it.
    pub(crate) fn leaves(&self) -> Vec<&Place> {
        match &self.value {
            Value::List(items) | Value::Table(items) => {
                items.iter().flat_map(Self::leaves).collect()
            }
            _ => vec![&self.place],
        }
    }

    /// Whether any text in the value may contain a secret.
    pub(crate) fn may_hide_secret(&self) -> bool {
        match &self.value {
            Value::Untyped(text) | Value::String(text) => may_hide_secret(text),
            Value::List(items) | Value::Table(items) => items.iter().any(Self::may_hide_secret),
            _ => false,
        }
    }
}

/// Whether `text` is an address with a user and a password, or spans lines because of a missing quote.
pub(crate) fn may_hide_secret(text: &str) -> bool {
    text.contains(['@', '\n']) || redact::addresses(text) != text
}

/// All values from one source, by dotted key.
#[derive(Default)]
pub(crate) struct Layer {
    pub(crate) values: BTreeMap<String, Given>,
    /// The section headers, including those of empty sections.
    pub(crate) sections: BTreeMap<String, Place>,
}

impl Layer {
    /// Lays `above` over this layer: its values win, including over the twin key (`url` and `url_file`).
    pub(crate) fn overlay(&mut self, above: Self) {
        for key in above.values.keys() {
            let other = twin(key);
            if !above.values.contains_key(&other) {
                self.values.remove(&other);
            }
        }
        self.values.extend(above.values);
        for (section, place) in above.sections {
            self.sections.entry(section).or_insert(place);
        }
    }

    /// Drops everything outside of `section`.
    pub(crate) fn retain(&mut self, section: &str) {
        let belongs = |key: &String| key == section || is_inside(key, section);
        self.values.retain(|key, _| belongs(key));
        self.sections.retain(|key, _| belongs(key));
    }

    /// The place of `section`, if the section or a key in it was given.
    pub(crate) fn section(&self, section: &str) -> Option<&Place> {
        self.sections.get(section).or_else(|| {
            self.values
                .iter()
                .find(|(key, _)| is_inside(key, section))
                .map(|(_, given)| &given.key)
        })
    }
}

/// Whether `key` is in `section`, at any depth.
pub(crate) fn is_inside(key: &str, section: &str) -> bool {
    key.strip_prefix(section)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// `redis.url` for `redis.url_file`, and the reverse.
pub(crate) fn twin(key: &str) -> String {
    match key.strip_suffix("_file") {
        Some(direct) => direct.to_owned(),
        None => format!("{key}_file"),
    }
}
