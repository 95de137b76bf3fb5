//! The functions that Prometheus adds (`template/template.go`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation as _;

use super::super::function::Function;
use super::builtin::query_escape;
use super::value::{Sample, Value};
use super::{Environment, humanize};
use crate::rules::duration;

type Called = Result<Value, String>;

/// Calls a function of Prometheus.
pub(super) fn call(function: Function, values: &[Value], environment: &dyn Environment) -> Called {
    match function {
        Function::Query => {
            let samples = environment.query(text(&values[0])?)?;
            let samples = samples
                .into_iter()
                .map(|sample| Value::Sample(Arc::new(sample)));
            Ok(Value::List(Arc::new(samples.collect())))
        }
        Function::First => match samples(&values[0])?.first() {
            Some(first) => Ok(first.clone()),
            None => failed("first() called on vector with no elements"),
        },
        Function::Label => {
            let name = text(&values[0])?;
            Ok(Value::text(label(sample(&values[1])?, name)))
        }
        Function::Value => Ok(Value::Float(sample(&values[0])?.value)),
        Function::Strvalue => Ok(Value::text(label(sample(&values[0])?, "__value__"))),
        Function::Args => {
            let named = values.iter().enumerate();
            let named = named.map(|(at, value)| (format!("arg{at}"), value.clone()));
            Ok(Value::Map(Arc::new(named.collect::<BTreeMap<_, _>>())))
        }
        Function::SortByLabel => {
            let name = text(&values[0])?;
            let mut sorted = samples(&values[1])?.to_vec();
            sorted.sort_by(|a, b| {
                let of = |value: &Value| match value {
                    Value::Sample(sample) => label(sample, name).to_owned(),
                    _ => String::new(),
                };
                of(a).cmp(&of(b))
            });
            Ok(Value::List(Arc::new(sorted)))
        }
        Function::ReReplaceAll => {
            let pattern = regex(text(&values[0])?)?;
            let replaced = pattern.replace_all(text(&values[2])?, text(&values[1])?);
            Ok(Value::text(replaced.into_owned()))
        }
        Function::Match => Ok(Value::Bool(
            regex(text(&values[0])?)?.is_match(text(&values[1])?),
        )),
        Function::SafeHtml => Ok(Value::Html(text(&values[0])?.into())),
        Function::Title => Ok(Value::text(title(text(&values[0])?))),
        Function::ToUpper => Ok(Value::text(text(&values[0])?.to_uppercase())),
        Function::ToLower => Ok(Value::text(text(&values[0])?.to_lowercase())),
        Function::GraphLink => Ok(Value::text(link(text(&values[0])?, 0))),
        Function::TableLink => Ok(Value::text(link(text(&values[0])?, 1))),
        Function::StripPort => Ok(Value::text(strip_port(text(&values[0])?))),
        Function::StripDomain => Ok(Value::text(strip_domain(text(&values[0])?))),
        Function::Humanize => Ok(Value::text(humanize::metric(float(&values[0])?))),
        Function::Humanize1024 => Ok(Value::text(humanize::binary(float(&values[0])?))),
        Function::HumanizeDuration => Ok(Value::text(humanize::duration(float(&values[0])?))),
        Function::HumanizePercentage => Ok(Value::text(humanize::percentage(float(&values[0])?))),
        Function::HumanizeTimestamp => {
            let seconds = float(&values[0])?;
            if !seconds.is_finite() {
                return Ok(Value::text(super::go::float(seconds, 'g', Some(4))));
            }
            Ok(Value::text(super::time::time(millis(seconds)?)))
        }
        Function::ToTime => Ok(Value::Time(millis(float(&values[0])?)?)),
        Function::ToDuration => Ok(Value::Duration(nanos(float(&values[0])?)?)),
        Function::Now => Ok(Value::Float(environment.now() as f64 / 1e3)),
        Function::ParseDuration => {
            let text = text(&values[0])?;
            match duration::parse(text) {
                Some(duration) => Ok(Value::Float(duration.as_secs_f64())),
                None => failed(duration_error(text)),
            }
        }
        Function::ExternalUrl => Ok(Value::text(environment.external_url())),
        Function::PathPrefix => Ok(Value::text(path_of(environment.external_url()))),
        Function::UrlQueryEscape => Ok(Value::text(query_escape(text(&values[0])?))),
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
fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(format!("expected string; got {}", other.kind())),
    }
}

fn samples(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(list) => Ok(list),
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

/// A number, or a string or duration that stands for one (`convertToFloat`).
fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Duration(nanos) => Ok(*nanos as f64 / 1e9),
        Value::Text(text) => match parse_float(text) {
            Some(number) if number.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                let text = super::go::quote(text);
                Err(format!(
                    "strconv.ParseFloat: parsing {text}: value out of range"
                ))
            }
            Some(number) => Ok(number),
            None => {
                let text = super::go::quote(text);
                Err(format!(
                    "strconv.ParseFloat: parsing {text}: invalid syntax"
                ))
            }
        },
        other => {
            let kind = other.kind();
            Err(format!("can't convert {kind} to float"))
        }
    }
}

fn parse_float(text: &str) -> Option<f64> {
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let word = plain.to_ascii_lowercase();
    let is_word =
        matches!(word.as_str(), "inf" | "infinity") || word == "nan" && plain.len() == text.len();
    if let Some(number) = hexadecimal(plain) {
        return Some(if text.starts_with('-') {
            -number
        } else {
            number
        });
    }
    match is_word || plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        true => text.parse().ok(),
        false => None,
    }
}

/// `0x1.8p3`: a hexadecimal mantissa with a power of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let text = text.to_ascii_lowercase();
    let (mantissa, power) = text.strip_prefix("0x")?.split_once('p')?;
    let power: i32 = power.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > 14 {
        return None;
    }
    let mantissa = u64::from_str_radix(&digits, 16).ok()?;
    Some(mantissa as f64 * 2f64.powi(power - 4 * fraction.len() as i32))
}

fn label<'s>(sample: &'s Sample, name: &str) -> &'s str {
    sample.labels.get(name).map_or("", String::as_str)
}

fn regex(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| format!("error parsing regexp: {error}"))
}

/// A link to the expression browser; `tab` 0 is the graph, 1 the table.
fn link(expression: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", query_escape(expression))
}

/// The first letter of every word in upper case, as `cases.Title` with `NoLower`.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_word_bounds() {
        match word.char_indices().find(|(_, c)| c.is_alphabetic()) {
            Some((at, first)) => {
                out.push_str(&word[..at]);
                out.extend(first.to_uppercase());
                out.push_str(&word[at + first.len_utf8()..]);
            }
            None => out.push_str(word),
        }
    }
    out
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
