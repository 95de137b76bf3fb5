//! The functions of Go's `text/template` (`funcs.go`), but for `and` and `or`, which do not evaluate all arguments.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::super::function::Function;
use super::url::query_escape;
use super::value::Value;
use super::{compare, printf};

/// Calls a function of Go; `None` if it is not one. Its result has at most `most` bytes.
pub(super) fn call(
    function: Function,
    values: &[Value],
    most: usize,
) -> Option<Result<Value, String>> {
    let printed = || Ok::<_, String>(printf::sprint(values, most)?);
    let result = match function {
        Function::Eq => compare::equal(&values[0], &values[1..], most).map(Value::Bool),
        Function::Ne => {
            compare::equal(&values[0], &values[1..], most).map(|equal| Value::Bool(!equal))
        }
        Function::Lt => ordered(values, &[Ordering::Less]),
        Function::Le => ordered(values, &[Ordering::Less, Ordering::Equal]),
        Function::Gt => ordered(values, &[Ordering::Greater]),
        Function::Ge => ordered(values, &[Ordering::Greater, Ordering::Equal]),
        Function::Not => Ok(Value::Bool(!values[0].is_true())),
        Function::Len => length(&values[0]),
        Function::Index => values[1..]
            .iter()
            .try_fold(values[0].clone(), |value, key| index(&value, key)),
        Function::Slice => slice(&values[0], &values[1..]),
        Function::Print => printed().map(Value::text),
        Function::Println => printf::sprintln(values, most)
            .map(Value::text)
            .map_err(Into::into),
        Function::Printf => match &values[0] {
            Value::Text(format) => printf::sprintf(format, &values[1..], most)
                .map(Value::text)
                .map_err(Into::into),
            _ => Ok(Value::text("")),
        },
        Function::Html => printed().map(|text| Value::text(html(&text))),
        Function::Js => printed().map(|text| Value::text(javascript(&text))),
        Function::Urlquery => printed().map(|text| Value::text(query_escape(&text))),
        Function::Call => Err(format!("non-function of type {}", values[0].kind())),
        _ => return None,
    };
    Some(result)
}

fn ordered(values: &[Value], accepted: &[Ordering]) -> Result<Value, String> {
    let order = compare::order(&values[0], &values[1])?;
    Ok(Value::Bool(
        order.is_some_and(|order| accepted.contains(&order)),
    ))
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::Html(text) | Value::Url(text) => text.len(),
        Value::Strings(map) | Value::Pairs(map) => map.len(),
        Value::Map(map) => map.entries().len(),
        Value::List(list) => list.items().len(),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        other => return Err(format!("len of type {}", other.kind())),
    };
    Ok(Value::Int(length as i64))
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    match (value, key) {
        (Value::Nil, _) => Err("index of untyped nil".to_owned()),
        (Value::Strings(_) | Value::Pairs(_) | Value::Map(_), Value::Text(key)) => value.field(key),
        (Value::Strings(_) | Value::Pairs(_) | Value::Map(_), Value::Nil) => {
            Err("value is nil; should be of type string".to_owned())
        }
        (Value::Strings(_) | Value::Pairs(_) | Value::Map(_), key) => {
            Err(format!("value has type {}; should be string", key.kind()))
        }
        (Value::List(list), Value::Int(at)) => {
            let at = position(*at, list.items().len())?;
            let found = list.items().get(at).cloned();
            found.ok_or_else(|| "reflect: slice index out of range".to_owned())
        }
        (Value::Text(text), Value::Int(at)) => {
            let at = position(*at, text.len())?;
            let byte = text.as_bytes().get(at).copied();
            let byte = byte.ok_or("reflect: string index out of range")?;
            Ok(Value::Int(i64::from(byte)))
        }
        (Value::List(_) | Value::Text(_), Value::Nil) => {
            Err("cannot index slice/array with nil".to_owned())
        }
        (Value::List(_) | Value::Text(_), key) => {
            Err(format!("cannot index slice/array with type {}", key.kind()))
        }
        (other, _) => Err(format!("can't index item of type {}", other.kind())),
    }
}

/// An index up to and including the length, as `indexArg` accepts it.
fn position(at: i64, length: usize) -> Result<usize, String> {
    let position = usize::try_from(at).ok().filter(|at| *at <= length);
    position.ok_or_else(|| format!("index out of range: {at}"))
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.kind())),
    };
    if bounds.len() == 3 && matches!(value, Value::Text(_)) {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let mut ends = [0, length, length];
    for (end, bound) in ends.iter_mut().zip(bounds) {
        *end = match bound {
            Value::Int(at) => position(*at, length)?,
            Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
            other => {
                return Err(format!(
                    "cannot index slice/array with type {}",
                    other.kind()
                ));
            }
        };
    }
    let [start, end, _] = ends;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    match value {
        // Go cuts bytes; a cut within a character leaves a replacement character here.
        Value::Text(text) => {
            let bytes = &text.as_bytes()[start..end];
            Ok(Value::text(String::from_utf8_lossy(bytes).into_owned()))
        }
        Value::List(list) => Value::list(list.kind(), list.items()[start..end].to_vec()),
        _ => Ok(Value::Nil),
    }
}

pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn javascript(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c if c < ' ' || c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}
