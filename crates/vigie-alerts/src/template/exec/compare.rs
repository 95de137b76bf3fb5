//! `eq`, `ne`, `lt`, `le`, `gt` and `ge`, which compare values of the same kind only (`text/template/funcs.go`).

use std::cmp::Ordering;

use super::printf;
use super::value::Value;

/// The kinds that Go compares.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
    /// Comparable by equality: pointers, and structs without lists and maps.
    Pointer,
    Struct,
    List,
    Map,
    Nil,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::Span(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Text(_) | Value::Html(_) | Value::Url(_) => Self::Text,
            Value::Sample(_) | Value::Time(_) | Value::Duration(_) => Self::Pointer,
            Value::Moment(_) | Value::Data(_) => Self::Struct,
            Value::List(_) => Self::List,
            Value::Strings(_) | Value::Pairs(_) | Value::Map(_) => Self::Map,
        }
    }

    fn is_basic(self) -> bool {
        matches!(self, Self::Bool | Self::Int | Self::Float | Self::Text)
    }
}

/// Whether `first` equals any of `others`.
pub(super) fn equal(first: &Value, others: &[Value], most: usize) -> Result<bool, String> {
    for other in others {
        if equals(first, other, most)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals(first: &Value, other: &Value, most: usize) -> Result<bool, String> {
    let (a, b) = (Kind::of(first), Kind::of(other));
    if a == Kind::Nil || b == Kind::Nil {
        return Ok(a == b);
    }
    if (a.is_basic() || b.is_basic()) && a != b {
        return Err(mismatch(first, other));
    }
    let shown = |value| printf::plain(value, most).unwrap_or_default();
    match (a, b) {
        (Kind::Bool | Kind::Float, _) => Ok(first == other),
        (Kind::Int, _) => Ok(integer(first) == integer(other)),
        (Kind::Text, _) => Ok(first.as_text() == other.as_text()),
        (a, b) if a != b => Err(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(first),
            first.kind(),
            other.kind(),
            shown(other)
        )),
        (Kind::List | Kind::Map, _) => Err(incomparable(other, &shown(other))),
        (_, _) => match other {
            Value::Data(data) if data.kind != "template.Pair" => {
                Err(incomparable(other, &shown(other)))
            }
            _ => Ok(first == other),
        },
    }
}

/// The order of two numbers or two strings; `None` if one is not a number.
pub(super) fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (Kind::of(a), Kind::of(b)) {
        (Kind::Int, Kind::Int) => Ok(Some(integer(a).cmp(&integer(b)))),
        (Kind::Text, Kind::Text) => Ok(Some(a.as_text().cmp(&b.as_text()))),
        (Kind::Float, Kind::Float) => match (a, b) {
            (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
            _ => Ok(None),
        },
        (x, y) if x != y && x.is_basic() && y.is_basic() => Err(mismatch(a, b)),
        _ => Err("invalid type for comparison".to_owned()),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) | Value::Span(number) => Some(*number),
        _ => None,
    }
}

fn mismatch(a: &Value, b: &Value) -> String {
    let (a, b) = (a.kind(), b.kind());
    format!("incompatible types for comparison: {a} and {b}")
}

fn incomparable(value: &Value, shown: &str) -> String {
    format!("non-comparable type {shown}: {}", value.kind())
}
