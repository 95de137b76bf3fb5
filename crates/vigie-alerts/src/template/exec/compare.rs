//! `eq`, `ne`, `lt`, `le`, `gt` and `ge`, which compare values of the same kind only (`text/template/funcs.go`).

use std::cmp::Ordering;

use super::value::Value;

/// Whether `first` equals any of `others`.
pub(super) fn equal(first: &Value, others: &[Value]) -> Result<bool, String> {
    let mut found = false;
    for other in others {
        found |= match (first, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Nil, _) | (_, Value::Nil) => false,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Text(a) | Value::Html(a), Value::Text(b) | Value::Html(b)) => a == b,
            (Value::Time(a), Value::Time(b)) | (Value::Duration(a), Value::Duration(b)) => a == b,
            _ => return Err(mismatch(first, other)),
        };
    }
    Ok(found)
}

/// The order of two numbers or two strings; `None` if one is not a number.
pub(super) fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(a) | Value::Html(a), Value::Text(b) | Value::Html(b)) => {
            Ok(Some(a.as_bytes().cmp(b.as_bytes())))
        }
        (Value::Bool(_), Value::Bool(_)) => Err("invalid type for comparison".to_owned()),
        _ if is_basic(a) && is_basic(b) => Err(mismatch(a, b)),
        _ => Err("invalid type for comparison".to_owned()),
    }
}

fn is_basic(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Html(_)
    )
}

fn mismatch(a: &Value, b: &Value) -> String {
    let (a, b) = (a.kind(), b.kind());
    format!("incompatible types for comparison: {a} and {b}")
}
