//! The values of a running template.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Zoned;

use super::collection::{List, Map};
use super::layout;

/// A value. Clones are cheap.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Go's nil interface, printed as `<no value>`.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A string.
    Text(Arc<str>),
    /// A string of the type that `safeHtml` returns.
    Html(Arc<str>),
    /// A string of the type that `safeUrl` returns.
    Url(Arc<str>),
    /// `map[string]string`; a missing key is the empty string.
    Strings(Arc<BTreeMap<String, String>>),
    /// Alertmanager's `KV`: a `map[string]string` with methods.
    Pairs(Arc<BTreeMap<String, String>>),
    /// `map[string]interface {}`; a missing key is nil.
    Map(Arc<Map>),
    /// A list of values.
    List(Arc<List>),
    /// A series with its value, as `query` returns it.
    Sample(Arc<Sample>),
    /// A pointer to a time, in milliseconds since the Unix epoch, as Prometheus' `toTime` returns it.
    Time(i64),
    /// A pointer to a duration, in nanoseconds, as Prometheus' `toDuration` returns it.
    Duration(i64),
    /// A time with its zone.
    Moment(Arc<Zoned>),
    /// A duration, in nanoseconds.
    Span(i64),
    /// A struct, such as the data that a template starts with.
    Data(Arc<Data>),
}

/// A series with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels, the metric's name as `__name__`.
    pub labels: Arc<BTreeMap<String, String>>,
    /// The value.
    pub value: f64,
}

/// A Go struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// The type, for error messages.
    pub kind: &'static str,
    /// The fields in the order of their declaration.
    pub fields: Vec<(&'static str, Value)>,
    /// Further fields, which are found by name and not printed.
    pub hidden: Vec<(&'static str, Value)>,
}

impl Value {
    /// A string.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Go's zero time, the first second of the year 1 in UTC.
    #[must_use]
    pub fn zero_time() -> Self {
        Self::Moment(Arc::new(layout::zero()))
    }

    /// The field of a struct or the value of a key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Self> {
        self.field(name).ok()
    }

    /// The name of the value's type in Go.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Html(_) => "template.HTML",
            Self::Url(_) => "template.URL",
            Self::Strings(_) => "map[string]string",
            Self::Pairs(_) => "template.KV",
            Self::Map(_) => "map[string]interface {}",
            Self::List(list) => list.kind().name(),
            Self::Sample(_) => "*template.sample",
            Self::Time(_) => "*time.Time",
            Self::Duration(_) => "*time.Duration",
            Self::Moment(_) => "time.Time",
            Self::Span(_) => "time.Duration",
            Self::Data(data) => data.kind,
        }
    }

    /// Whether `if` and `with` take it: not zero and not empty.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) | Self::Span(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) | Self::Html(text) | Self::Url(text) => !text.is_empty(),
            Self::Strings(map) | Self::Pairs(map) => !map.is_empty(),
            Self::Map(map) => !map.entries().is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Sample(_)
            | Self::Time(_)
            | Self::Duration(_)
            | Self::Moment(_)
            | Self::Data(_) => true,
        }
    }

    /// The text of a value whose kind is a string in Go.
    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) | Self::Html(text) | Self::Url(text) => Some(text),
            _ => None,
        }
    }

    /// The field or key `name`.
    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        match self {
            Self::Strings(map) | Self::Pairs(map) => {
                let value = map.get(name).map_or("", String::as_str);
                Ok(Self::text(value))
            }
            Self::Map(map) => Ok(map.entries().get(name).cloned().unwrap_or(Self::Nil)),
            Self::Sample(sample) => match name {
                "Labels" => Ok(Self::Strings(Arc::clone(&sample.labels))),
                "Value" => Ok(Self::Float(sample.value)),
                _ => Err(self.lacks(name)),
            },
            Self::Data(data) => {
                let mut fields = data.fields.iter().chain(&data.hidden);
                let found = fields.find(|(field, _)| *field == name);
                found.map_or_else(|| Err(self.lacks(name)), |(_, value)| Ok(value.clone()))
            }
            Self::Nil => Err(format!("nil pointer evaluating interface {{}}.{name}")),
            _ => Err(self.lacks(name)),
        }
    }

    fn lacks(&self, name: &str) -> String {
        format!("can't evaluate field {name} in type {}", self.kind())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_key_depends_on_the_type_of_the_map() {
        let labels = Value::Strings(Arc::default());
        assert_eq!(labels.field("queue").unwrap(), Value::text(""));
        let map = Value::map(BTreeMap::new()).unwrap();
        assert_eq!(map.field("queue").unwrap(), Value::Nil);
        let error = Value::Float(1.0).field("queue").unwrap_err();
        assert_eq!(error, "can't evaluate field queue in type float64");
    }
}
