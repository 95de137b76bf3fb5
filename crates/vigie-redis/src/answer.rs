//! What a server answers, as it is needed here.

use redis::Value;

/// What stands under a name, in a map or in a flat list of names and values.
pub(crate) fn field(more: &Value, name: &str) -> Option<String> {
    let named = |key: &Value| text(key).as_deref() == Some(name);
    match more {
        Value::Map(pairs) => {
            let found = pairs.iter().find(|(key, _)| named(key));
            found.and_then(|(_, value)| text(value))
        }
        _ => {
            let mut pairs = list(more)?.chunks_exact(2);
            pairs
                .find(|pair| named(&pair[0]))
                .and_then(|pair| text(&pair[1]))
        }
    }
}

pub(crate) fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

pub(crate) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}
