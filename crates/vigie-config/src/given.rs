//! What was given, and where: every value keeps the place it came from.

use std::collections::BTreeMap;
use std::ops::Range;

use vigie_redis::redact;

/// Bytes of the configuration file.
pub(crate) type Span = Range<usize>;

/// Where a value was given.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(Span),
    Env(String),
    Flag(&'static str),
}

/// A value before its key says what it must be. Not `Debug`: it may be a secret.
#[derive(Clone)]
pub(crate) enum Value {
    /// From a variable or a flag, where everything is text.
    Untyped(String),
    String(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Given>),
    /// Only as an item of a list; elsewhere a table is a section.
    Table(Vec<Given>),
    /// A kind that no key accepts, by its name.
    Other(&'static str),
}

/// One value, with the place of its key and its own.
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

    /// The value as text, when it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Untyped(text) | Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value in words, for a message. What could hide a secret is not shown.
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

    /// The places of all single values in it.
    pub(crate) fn leaves(&self) -> Vec<&Place> {
        match &self.value {
            Value::List(items) | Value::Table(items) => {
                items.iter().flat_map(Self::leaves).collect()
            }
            _ => vec![&self.place],
        }
    }

    /// Whether some text in the value could hide a secret.
    pub(crate) fn may_hide_secret(&self) -> bool {
        match &self.value {
            Value::Untyped(text) | Value::String(text) => may_hide_secret(text),
            Value::List(items) | Value::Table(items) => items.iter().any(Self::may_hide_secret),
            _ => false,
        }
    }
}

/// An address with a user and a password in it, or several lines swallowed by a missing quote.
pub(crate) fn may_hide_secret(text: &str) -> bool {
    text.contains(['@', '\n']) || redact::addresses(text) != text
}

/// All that one source gave, by dotted key.
#[derive(Default)]
pub(crate) struct Layer {
    pub(crate) values: BTreeMap<String, Given>,
    /// The sections that were opened, also the empty ones.
    pub(crate) sections: BTreeMap<String, Place>,
}

impl Layer {
    /// Lays `above` over this layer: its values win, also over the other way of saying the same.
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

    /// Where `section` was opened, if anything was said about it.
    pub(crate) fn section(&self, section: &str) -> Option<&Place> {
        self.sections.get(section).or_else(|| {
            self.values
                .iter()
                .find(|(key, _)| is_inside(key, section))
                .map(|(_, given)| &given.key)
        })
    }
}

/// Whether `key` lies in `section`, at any depth.
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
