//! The functions that Alertmanager adds (`template/template.go`).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::function::Function;
use super::collection::ListKind;
use super::value::Value;
use super::{humanize, json, layout, method, text, url};

type Called = Result<Value, String>;

/// The time that the functions of Alertmanager need. Local times are in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The current time, in milliseconds since the Unix epoch.
    pub now: i64,
}

/// Calls a function of Alertmanager; its result has at most `most` bytes.
pub(super) fn call(function: Function, values: &[Value], clock: &Clock, most: usize) -> Called {
    let first = || string(&values[0]);
    match function {
        Function::ToUpper => Ok(Value::text(text::upper(first()?))),
        Function::ToLower => Ok(Value::text(text::lower(first()?))),
        Function::Title => Ok(Value::text(text::title(first()?, true))),
        Function::TrimSpace => Ok(Value::text(first()?.trim())),
        Function::Join => {
            let texts: Vec<_> = method::texts(values.get(1)).collect();
            let separators = first()?.len().saturating_mul(texts.len());
            let length = texts.iter().map(|text| text.len()).sum::<usize>();
            match length.saturating_add(separators) > most {
                true => Err(format!("the text exceeds {most} bytes")),
                false => Ok(Value::text(texts.join(first()?))),
            }
        }
        Function::SafeHtml => Ok(Value::Html(first()?.into())),
        Function::SafeUrl => Ok(Value::Url(first()?.into())),
        Function::UrlUnescape => Ok(Value::text(url::query_unescape(first()?)?)),
        Function::StringSlice => Ok(Value::texts(method::texts(Some(&Value::list(
            ListKind::Texts,
            values.to_vec(),
        )?)))),
        // Routes have no labels in Vigie.
        Function::RouteLabels => Ok(Value::text("")),
        Function::Date => {
            let time = moment(&values[1])?;
            Ok(Value::text(layout::format(&time, first()?)))
        }
        Function::Tz => {
            let zone = zone(first()?)?;
            let time = moment(&values[1])?.timestamp().to_zoned(zone);
            Ok(Value::Moment(Arc::new(time)))
        }
        Function::Now => Ok(Value::Moment(Arc::new(now(clock)))),
        Function::Since => {
            let start = moment(&values[0])?;
            Ok(Value::Span(method::between(&now(clock), &start)))
        }
        Function::HumanizeDuration => {
            Ok(Value::text(humanize::duration(text::number(&values[0])?)))
        }
        Function::ToDate => {
            let read = layout::parse(first()?, string(&values[1])?);
            Ok(Value::Moment(Arc::new(
                read.unwrap_or_else(|_| layout::zero()),
            )))
        }
        Function::MustToDate => {
            let read = layout::parse(first()?, string(&values[1])?)?;
            Ok(Value::Moment(Arc::new(read)))
        }
        Function::ToJson => Ok(Value::text(json::encode(&values[0], most)?)),
        Function::Base64Encode => Ok(Value::text(URL_SAFE.encode(first()?))),
        Function::Base64Decode => {
            // Go skips line breaks.
            let digits = first()?.replace(['\n', '\r'], "");
            let bytes = URL_SAFE.decode(digits);
            let bytes = bytes.map_err(|error| format!("illegal base64 data: {error}"))?;
            Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Function::List => Value::list(ListKind::Any, values.to_vec()),
        Function::Append => {
            let mut items = match &values[0] {
                Value::List(list) => list.items().to_vec(),
                _ => Vec::new(),
            };
            items.extend_from_slice(&values[1..]);
            Value::list(ListKind::Any, items)
        }
        Function::Dict => dict(values),
        _ => Err("this function is not available".to_owned()),
    }
}

fn dict(values: &[Value]) -> Called {
    if !values.len().is_multiple_of(2) {
        return Err("dict requires an even number of arguments".to_owned());
    }
    let mut entries = BTreeMap::new();
    for pair in values.chunks_exact(2) {
        let Value::Text(key) = &pair[0] else {
            return Err("dict keys must be strings".to_owned());
        };
        entries.insert(key.to_string(), pair[1].clone());
    }
    Value::map(entries)
}

fn now(clock: &Clock) -> jiff::Zoned {
    let now = Timestamp::from_millisecond(clock.now).unwrap_or(Timestamp::MAX);
    now.to_zoned(TimeZone::UTC)
}

/// A zone of the IANA database.
fn zone(name: &str) -> Result<TimeZone, String> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}")),
    }
}

/// A string; the run checked the type.
fn string(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(format!("expected string; got {}", other.kind())),
    }
}

/// A time; the run checked the type.
fn moment(value: &Value) -> Result<jiff::Zoned, String> {
    method::moment(value).ok_or_else(|| format!("expected time.Time; got {}", value.kind()))
}
