//! The canonical text of a JSON value: keys sorted, as Grafana exports them, and short values on one line.

use std::fmt::Write as _;

use serde_json::Value;

const WIDTH: usize = 120;

/// The canonical text of a value, with a newline at the end.
pub(crate) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0, 0);
    text.push('\n');
    text
}

/// Writes `value` after `used` columns of the current line, inside a value indented by `indent`.
fn write(text: &mut String, value: &Value, indent: usize, used: usize) {
    let line = on_one_line(value);
    // One column for a comma.
    if used + line.chars().count() < WIDTH {
        text.push_str(&line);
        return;
    }
    let inner = indent + 2;
    match value {
        Value::Array(items) => {
            text.push_str("[\n");
            for (n, item) in items.iter().enumerate() {
                let comma = if n == 0 { "" } else { ",\n" };
                write!(text, "{comma}{:inner$}", "").unwrap();
                write(text, item, inner, inner);
            }
            write!(text, "\n{:indent$}]", "").unwrap();
        }
        Value::Object(_) => {
            text.push_str("{\n");
            for (n, (key, item)) in in_order(value).into_iter().enumerate() {
                let comma = if n == 0 { "" } else { ",\n" };
                let key = format!("{}: ", Value::from(key));
                write!(text, "{comma}{:inner$}{key}", "").unwrap();
                write(text, item, inner, inner + key.chars().count());
            }
            write!(text, "\n{:indent$}}}", "").unwrap();
        }
        _ => text.push_str(&line),
    }
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(on_one_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(_) => {
            let items: Vec<_> = in_order(value)
                .into_iter()
                .map(|(key, item)| format!("{}: {}", Value::from(key), on_one_line(item)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        _ => value.to_string(),
    }
}

/// The members of an object by key, whether or not `serde_json` preserves their order.
fn in_order(value: &Value) -> Vec<(&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    let mut members: Vec<_> = members.map(|(key, item)| (key.as_str(), item)).collect();
    members.sort_by_key(|(key, _)| *key);
    members
}

#[test]
fn short_values_are_on_one_line() {
    let long = "x".repeat(WIDTH);
    let value = serde_json::json!({"b": [1, null, {"c": true}], "a": long, "d": {}});
    assert_eq!(
        text(&value),
        format!(
            "{{\n  \"a\": \"{long}\",\n  \"b\": [1, null, {{\"c\": true}}],\n  \"d\": {{}}\n}}\n"
        )
    );
    assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value);
}
