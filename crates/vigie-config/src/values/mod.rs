//! Parsers for values: each converts a given value, or describes the accepted ones.

mod addresses;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use crate::given::{Given, Value};

pub(crate) use addresses::{
    database_address, host, listen, network, origins, page_url, queue_link, redis_address,
};

/// The accepted values, and, in a list, the item that is invalid.
pub(crate) struct Wrong {
    pub(crate) label: String,
    pub(crate) item: Option<Given>,
}

/// The parsed value, or every mistake in the given one.
pub(crate) type Parsed<T> = Result<T, Vec<Wrong>>;

pub(crate) fn wrong<T>(accepted: impl fmt::Display) -> Parsed<T> {
    refused(format!("expected {accepted}"))
}

/// Like [`wrong`], with the complete message.
pub(crate) fn refused<T>(label: String) -> Parsed<T> {
    Err(vec![Wrong { label, item: None }])
}

/// A whole number in `range`.
pub(crate) fn integer<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&Given) -> Parsed<T> {
    move |given| {
        let number = match &given.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Untyped(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .filter(|number| range.contains(number))
            .and_then(|number| T::try_from(number).ok())
            .map_or_else(
                || {
                    let (low, high) = (range.start(), range.end());
                    wrong(format_args!("a whole number from {low} to {high}"))
                },
                Ok,
            )
    }
}

/// A number of bytes in `range`, as a number or as text with a unit.
pub(crate) fn bytes<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&Given) -> Parsed<T> {
    move |given| {
        let number = match &given.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Untyped(text) | Value::String(text) => parse_bytes(text.trim()),
            _ => None,
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => T::try_from(number).or_else(|_| wrong("a smaller size")),
            None => wrong(format_args!(
                r#"a size from {} to {} bytes, like 65536 or "64KiB""#,
                range.start(),
                range.end()
            )),
        }
    }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "kB" => 1000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A duration in `range`, as text with a unit.
pub(crate) fn duration(range: RangeInclusive<Duration>) -> impl Fn(&Given) -> Parsed<Duration> {
    move |given| {
        given
            .text()
            .and_then(|text| text.trim().parse::<SignedDuration>().ok())
            .and_then(|duration| Duration::try_from(duration).ok())
            .filter(|duration| range.contains(duration))
            .map_or_else(
                || {
                    let (low, high) = (in_words(*range.start()), in_words(*range.end()));
                    wrong(format_args!(
                        r#"a duration from {low} to {high} with its unit, like "10s" or "250ms""#
                    ))
                },
                Ok,
            )
    }
}

fn in_words(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

pub(crate) fn boolean(given: &Given) -> Parsed<bool> {
    match &given.value {
        Value::Boolean(truth) => Ok(*truth),
        Value::Untyped(text) if text == "true" => Ok(true),
        Value::Untyped(text) if text == "false" => Ok(false),
        _ => wrong("true or false"),
    }
}

/// The URL of a service over HTTP, which can have a login.
pub(crate) fn http_url(given: &Given) -> Parsed<String> {
    let text = given.text().unwrap_or_default().trim();
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => wrong("an http:// or https:// URL with a host"),
    }
}

/// A non-empty line of text.
pub(crate) fn text(given: &Given) -> Parsed<String> {
    match given.text() {
        Some(text) if !text.trim().is_empty() && !text.contains(char::is_control) => {
            Ok(text.to_owned())
        }
        _ => wrong("a line of text that is not empty"),
    }
}

/// The name of a Kubernetes object: a subdomain (RFC 1123), or a single label if at most 63 characters are allowed.
pub(crate) fn object_name(longest: usize) -> impl Fn(&Given) -> Parsed<String> {
    move |given| {
        let text = given.text().unwrap_or_default();
        let is_label = |label: &str| {
            let bytes = label.as_bytes();
            let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            edge(bytes.first()) && edge(bytes.last()) && label.chars().all(allowed)
        };
        let (fits, allowed) = match longest {
            ..=63 => (is_label(text), "digits and -"),
            _ => (text.split('.').all(is_label), "digits, - and ."),
        };
        match fits && text.len() <= longest {
            true => Ok(text.to_owned()),
            false => wrong(format_args!(
                "the name of a Kubernetes object: at most {longest} lower case letters, {allowed}"
            )),
        }
    }
}

/// The name of a metric, or a prefix of one.
pub(crate) fn metric_name(given: &Given) -> Parsed<String> {
    let text = given.text().unwrap_or_default();
    match vigie_alerts::is_metric_name(text) {
        true => Ok(text.to_owned()),
        false => wrong("letters, digits, _ and :, and no digit first"),
    }
}

/// The name of a label.
pub(crate) fn label_name(given: &Given) -> Parsed<String> {
    let text = given.text().unwrap_or_default();
    match vigie_alerts::is_label_name(text) {
        true => Ok(text.to_owned()),
        false => wrong("letters, digits and _, and no digit first"),
    }
}

/// One of a few fixed words.
pub(crate) fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Given) -> Parsed<T> {
    move |given| {
        let found = words.iter().find(|(word, _)| given.text() == Some(word));
        found.map_or_else(
            || {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                wrong(words.join(" or "))
            },
            |(_, value)| Ok(*value),
        )
    }
}

/// A list of `item`; in a variable or a flag the items are separated by commas.
pub(crate) fn list<T>(
    most: usize,
    item: impl Fn(&Given) -> Parsed<T>,
) -> impl Fn(&Given) -> Parsed<Vec<T>> {
    move |given| {
        let items = match &given.value {
            Value::List(items) => items.clone(),
            Value::Untyped(text) => text
                .split(',')
                .map(|part| Given::untyped(part.trim(), given.place.clone()))
                .filter(|part| part.text() != Some(""))
                .collect(),
            _ => return wrong(r#"a list, like ["…", "…"]"#),
        };
        if items.len() > most {
            return wrong(format_args!("a list of at most {most} items"));
        }
        // A part of an address with a password may not look like one itself.
        let is_shown = !matches!(given.value, Value::Untyped(_)) || !given.may_hide_secret();
        let mut values = Vec::with_capacity(items.len());
        let mut wrongs = Vec::new();
        for given in items {
            match item(&given) {
                Ok(value) => values.push(value),
                Err(found) => wrongs.extend(found.into_iter().map(|wrong| Wrong {
                    item: Some(given.clone()),
                    ..wrong
                })),
            }
        }
        match wrongs.is_empty() {
            true => Ok(values),
            false if is_shown => Err(wrongs),
            false => wrong("other items between the commas"),
        }
    }
}

/// `NAME=VALUE`, a label.
pub(crate) fn label(given: &Given) -> Parsed<(String, String)> {
    match given.text().unwrap_or_default().split_once('=') {
        Some((name, value))
            if vigie_alerts::is_label_name(name) && name != "alertname" && !value.is_empty() =>
        {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => wrong(r#"a label as NAME=VALUE, like "cluster=eu""#),
    }
}

/// The path of a request, optionally with a query.
pub(crate) fn request_path(given: &Given) -> Parsed<String> {
    let text = given.text().unwrap_or_default();
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    match text.starts_with('/') && is_visible && !text.contains('#') {
        true => Ok(text.to_owned()),
        false => wrong("a path that starts with / and has no spaces, like /health"),
    }
}

/// A status code, or a range of them.
pub(crate) fn status(given: &Given) -> Parsed<RangeInclusive<u16>> {
    let text = match &given.value {
        Value::Integer(code) => code.to_string(),
        _ => given.text().unwrap_or_default().to_owned(),
    };
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let code = |text: &str| text.parse().ok().filter(|code| (100..=599).contains(code));
    match (code(first), code(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => wrong(r#"a status code from 100 to 599, like 204, or a range, like "200-399""#),
    }
}

fn parse_text<T: FromStr>(given: &Given, accepted: &str) -> Parsed<T> {
    match given.text().map(str::parse) {
        Some(Ok(value)) => Ok(value),
        _ => wrong(accepted),
    }
}
