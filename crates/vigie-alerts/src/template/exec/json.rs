//! Values as Go's `encoding/json` writes them.

use super::go;
use super::layout;
use super::out::{Out, TooLong};
use super::value::{Data, Value};

/// A value as JSON of at most `most` bytes.
pub(super) fn encode(value: &Value, most: usize) -> Result<String, String> {
    let mut out = Out::new(most);
    write(&mut out, value)?;
    out.end().map_err(|error: TooLong| error.into())
}

fn write(out: &mut Out, value: &Value) -> Result<(), String> {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) | Value::Duration(number) | Value::Span(number) => {
            out.push_str(&number.to_string());
        }
        Value::Float(number) => out.push_str(&float(*number)?),
        Value::Text(text) | Value::Html(text) | Value::Url(text) => string(out, text),
        Value::Strings(map) | Value::Pairs(map) => {
            let entries = map.iter();
            object(
                out,
                entries.map(|(key, value)| (key.as_str(), Value::text(&**value))),
            )?;
        }
        Value::Map(map) => {
            let entries = map.entries().iter();
            object(
                out,
                entries.map(|(key, value)| (key.as_str(), value.clone())),
            )?;
        }
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.items().iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if out.is_full() {
                    break;
                }
                write(out, item)?;
            }
            out.push(']');
        }
        Value::Sample(sample) => {
            let labels = Value::Strings(sample.labels.clone());
            let fields = [("Labels", labels), ("Value", Value::Float(sample.value))];
            object(out, fields.into_iter())?;
        }
        Value::Time(_) | Value::Moment(_) => {
            let time = super::method::moment(value).unwrap_or_else(layout::zero);
            let text = layout::format(&time, "2006-01-02T15:04:05.999999999Z07:00");
            string(out, &text);
        }
        Value::Data(data) => {
            let fields = data.fields.iter();
            let fields: Vec<_> = fields
                .map(|(name, value)| (key(data, name), value.clone()))
                .collect();
            object(
                out,
                fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone())),
            )?;
        }
    }
    Ok(())
}

fn object<'v>(
    out: &mut Out,
    entries: impl Iterator<Item = (&'v str, Value)>,
) -> Result<(), String> {
    out.push('{');
    for (at, (name, value)) in entries.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if out.is_full() {
            break;
        }
        string(out, name);
        out.push(':');
        write(out, &value)?;
    }
    out.push('}');
    Ok(())
}

/// The key of a field, as the tags of Alertmanager's types name it.
fn key(data: &Data, field: &str) -> String {
    match (data.kind, field) {
        ("template.Data" | "template.Alert", "NotificationReason") => {
            "notification_reason".to_owned()
        }
        ("template.Data" | "template.Alert", field) => {
            let (first, rest) = field.split_at(1);
            first.to_ascii_lowercase() + rest
        }
        _ => field.to_owned(),
    }
}

fn string(out: &mut Out, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The shortest form, with an exponent for very small and very large numbers.
fn float(number: f64) -> Result<String, String> {
    if !number.is_finite() {
        let text = go::float(number, 'g', None);
        return Err(format!("json: unsupported value: {text}"));
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return Ok(go::float(number, 'f', None));
    }
    // `1e-09` becomes `1e-9`.
    let text = go::float(number, 'e', None);
    Ok(text.replace("e-0", "e-"))
}
