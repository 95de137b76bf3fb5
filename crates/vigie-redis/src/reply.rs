//! Parses replies of a server. RESP2 and RESP3 encode some of them differently; both are accepted.

use redis::Value;

/// The value of a field, in a map or in a flat list of names and values.
#[must_use]
pub fn field<'a>(reply: &'a Value, name: &str) -> Option<&'a Value> {
    let is_named = |key: &Value| bytes(key) == Some(name.as_bytes());
    match reply {
        Value::Map(pairs) => {
            let found = pairs.iter().find(|(key, _)| is_named(key));
            found.map(|(_, value)| value)
        }
        _ => {
            let mut pairs = list(reply)?.chunks_exact(2);
            pairs.find(|pair| is_named(&pair[0])).map(|pair| &pair[1])
        }
    }
}

/// The bytes of a string.
#[must_use]
#[inline]
pub fn bytes(reply: &Value) -> Option<&[u8]> {
    match reply {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.as_bytes()),
        _ => None,
    }
}

/// A string as text; invalid UTF-8 is replaced.
#[must_use]
pub fn text(reply: &Value) -> Option<String> {
    bytes(reply).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// The elements of an array.
#[must_use]
#[inline]
pub fn list(reply: &Value) -> Option<&[Value]> {
    match reply {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

/// A non-negative integer.
#[must_use]
#[inline]
pub fn count(reply: &Value) -> Option<u64> {
    match reply {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_both_protocols() {
        let bulk = |text: &str| Value::BulkString(text.into());
        let flat = [bulk("a"), Value::Int(1), bulk("b"), Value::Int(-1)];
        let map = vec![
            (bulk("a"), Value::Int(1)),
            (Value::SimpleString("b".into()), Value::Int(-1)),
        ];
        for reply in [Value::Array(flat.to_vec()), Value::Map(map)] {
            assert_eq!(field(&reply, "a").and_then(count), Some(1));
            assert_eq!(field(&reply, "b").and_then(count), None);
            assert_eq!(field(&reply, "c"), None);
        }
        assert_eq!(field(&Value::Nil, "a"), None);
        assert_eq!(text(&bulk("x")).as_deref(), Some("x"));
        assert_eq!(list(&bulk("x")), None);
    }
}
