//! The functions that Prometheus adds (`template/template.go`).

use std::net::IpAddr;
use std::sync::Arc;

use super::super::function::Function;
use super::collection::ListKind;
use super::url::{graph_link, query_escape, table_link};
use super::value::{Sample, Value};
use super::{Environment, humanize, text};
use crate::rules::duration;

type Called = Result<Value, String>;

/// Calls a function of Prometheus.
pub(super) fn call(function: Function, values: &[Value], environment: &dyn Environment) -> Called {
    match function {
        Function::Query => {
            let samples = environment.query(string(&values[0])?)?;
            let samples = samples
                .into_iter()
                .map(|sample| Value::Sample(Arc::new(sample)));
            Value::list(ListKind::Samples, samples.collect())
        }
        Function::First => match samples(&values[0])?.first() {
            Some(first) => Ok(first.clone()),
            None => failed("first() called on vector with no elements"),
        },
        Function::Label => {
            let name = string(&values[0])?;
            Ok(Value::text(label(sample(&values[1])?, name)))
        }
        Function::Value => Ok(Value::Float(sample(&values[0])?.value)),
        Function::Strvalue => Ok(Value::text(label(sample(&values[0])?, "__value__"))),
        Function::Args => {
            let named = values.iter().enumerate();
            let named = named.map(|(at, value)| (format!("arg{at}"), value.clone()));
            Value::map(named.collect())
        }
        Function::SortByLabel => {
            let name = string(&values[0])?;
            let mut sorted = samples(&values[1])?.to_vec();
            sorted.sort_by(|a, b| {
                let of = |value: &Value| match value {
                    Value::Sample(sample) => label(sample, name).to_owned(),
                    _ => String::new(),
                };
                of(a).cmp(&of(b))
            });
            Value::list(ListKind::Samples, sorted)
        }
        Function::SafeHtml => Ok(Value::Html(string(&values[0])?.into())),
        Function::Title => Ok(Value::text(text::title(string(&values[0])?, false))),
        Function::ToUpper => Ok(Value::text(text::upper(string(&values[0])?))),
        Function::ToLower => Ok(Value::text(text::lower(string(&values[0])?))),
        Function::GraphLink => Ok(Value::text(graph_link(string(&values[0])?))),
        Function::TableLink => Ok(Value::text(table_link(string(&values[0])?))),
        Function::StripPort => Ok(Value::text(strip_port(string(&values[0])?))),
        Function::StripDomain => Ok(Value::text(strip_domain(string(&values[0])?))),
        Function::Humanize => Ok(Value::text(humanize::metric(text::number(&values[0])?))),
        Function::Humanize1024 => Ok(Value::text(humanize::binary(text::number(&values[0])?))),
        Function::HumanizeDuration => {
            Ok(Value::text(humanize::duration(text::number(&values[0])?)))
        }
        Function::HumanizePercentage => {
            Ok(Value::text(humanize::percentage(text::number(&values[0])?)))
        }
        Function::HumanizeTimestamp => {
            let seconds = text::number(&values[0])?;
            if !seconds.is_finite() {
                return Ok(Value::text(super::go::float(seconds, 'g', Some(4))));
            }
            Ok(Value::text(super::time::time(millis(seconds)?)))
        }
        Function::ToTime => Ok(Value::Time(millis(text::number(&values[0])?)?)),
        Function::ToDuration => Ok(Value::Duration(nanos(text::number(&values[0])?)?)),
        Function::Now => Ok(Value::Float(environment.now() as f64 / 1e3)),
        Function::ParseDuration => {
            let text = string(&values[0])?;
            match duration::parse(text) {
                Some(duration) => Ok(Value::Float(duration.as_secs_f64())),
                None => failed(duration_error(text)),
            }
        }
        Function::ExternalUrl => Ok(Value::text(environment.external_url())),
        Function::PathPrefix => Ok(Value::text(path_of(environment.external_url()))),
        Function::UrlQueryEscape => Ok(Value::text(query_escape(string(&values[0])?))),
        _ => failed("this function is not available"),
    }
}

/// The reason for which a duration does not parse (`model.ParseDuration`).
fn duration_error(text: &str) -> String {
    let quoted = super::go::quote(text);
    if text.is_empty() {
        return "empty duration string".to_owned();
    }
    let mut rest = text;
    while let Some(length) = rest
        .find(|c: char| !c.is_ascii_digit())
        .filter(|length| *length > 0)
    {
        rest = &rest[length..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = &rest[..end];
        if !duration::is_unit(unit) {
            return format!(
                "unknown unit {} in duration {quoted}",
                super::go::quote(unit)
            );
        }
        rest = &rest[end..];
    }
    match rest.is_empty() && duration::is_in_order(text) {
        true => "duration out of range".to_owned(),
        false => format!("not a valid duration string: {quoted}"),
    }
}

fn failed(message: impl Into<String>) -> Called {
    Err(message.into())
}

/// A string; the run checked the type.
fn string(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(format!("expected string; got {}", other.kind())),
    }
}

fn samples(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(list) => Ok(list.items()),
        Value::Nil => Ok(&[]),
        other => Err(format!(
            "expected template.queryResult; got {}",
            other.kind()
        )),
    }
}

fn sample(value: &Value) -> Result<&Sample, String> {
    match value {
        Value::Sample(sample) => Ok(sample),
        _ => Err("runtime error: invalid memory address or nil pointer dereference".to_owned()),
    }
}

fn label<'s>(sample: &'s Sample, name: &str) -> &'s str {
    sample.labels.get(name).map_or("", String::as_str)
}

/// `net.SplitHostPort`; `None` if the text is not `host:port`.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let has_bracket = |text: &str| text.contains(['[', ']']);
    (!has_bracket(host) && !has_bracket(port)).then_some((host, port))
}

fn strip_port(text: &str) -> &str {
    split_host_port(text).map_or(text, |(host, _)| host)
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let name = host.split('.').next().unwrap_or_default();
    match port {
        "" => name.to_owned(),
        port => format!("{name}:{port}"),
    }
}

/// The path of a URL, without a trailing slash.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or("", |at| rest[at..].trim_end_matches('/'))
}

fn nanos(seconds: f64) -> Result<i64, String> {
    let nanos = seconds * 1e9;
    match nanos.is_nan() || nanos > i64::MAX as f64 || nanos < i64::MIN as f64 {
        true => {
            let number = super::go::float(seconds, 'g', None);
            let message = format!(
                "{number} cannot be represented as a nanoseconds timestamp since it overflows int64"
            );
            Err(message)
        }
        false => Ok(nanos as i64),
    }
}

fn millis(seconds: f64) -> Result<i64, String> {
    // Go divides with truncation.
    nanos(seconds).map(|nanos| nanos / 1_000_000)
}
