//! The notation of series in scripts and rule tests: `http_requests_total{job="api"} 0+60x10 _ stale NaN`.

pub use super::histogram::Written;
use super::histogram::{histogram, sequence};
use crate::{
    Labels, MatchOp, Matcher, parse,
    syntax::{Expr, Selector},
    value::stale_marker,
};

/// The value at one point in time.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// `_`: no sample.
    Omitted,
    /// A sample; `stale` is the [stale marker](stale_marker).
    Value(f64),
    /// `{{…}}`: a native histogram.
    Histogram(Written),
}

/// The maximum number of points in one series.
const MAX_POINTS: usize = 1_000_000;

/// Parses the labels and the points of a line.
///
/// # Errors
///
/// A description of the error in the line.
pub fn series(line: &str) -> Result<(Labels, Vec<Point>), String> {
    let end = metric_end(line)?;
    let (metric, values) = line.split_at(end);
    Ok((labels(metric)?, points(values)?))
}

/// Parses a sequence of points, separated by blanks: `1 2+3x4 5-1x2 7x3 _ _x3 stale NaN Inf -Inf`.
///
/// # Errors
///
/// The invalid item.
pub fn points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut end = rest.find([' ', '\t']).unwrap_or(rest.len());
        if let Some(open) = rest[..end].find("{{") {
            let (first, mut from) = braces(rest, open)?;
            // `{{…}}+{{…}}x3`
            let mut step = None;
            if rest[from..].starts_with(['+', '-']) && rest[from + 1..].starts_with("{{") {
                let sign = if rest[from..].starts_with('-') {
                    -1.0
                } else {
                    1.0
                };
                let (second, after) = braces(rest, from + 1)?;
                step = Some((second, sign));
                from = after;
            }
            end = from + rest[from..].find([' ', '\t']).unwrap_or(rest.len() - from);
            let times = rest[from..end].strip_prefix('x');
            let times = times.map_or(Ok(0), |times| count(times, rest))?;
            let all = match step {
                Some((step, sign)) => sequence(first, &step, sign, times)?,
                None => vec![first; times + 1],
            };
            push(&mut points, all.into_iter().map(Point::Histogram))?;
        } else {
            item(&rest[..end], &mut points)?;
        }
        rest = rest[end..].trim_start();
    }
    Ok(points)
}

/// The histogram in the braces at `open`, and the position after them.
fn braces(text: &str, open: usize) -> Result<(Written, usize), String> {
    let inside = open + 2;
    let closed = text[inside..].find("}}").ok_or("a {{ is not closed")?;
    let written = histogram(&text[inside..inside + closed])?;
    Ok((written, inside + closed + 2))
}

fn push(points: &mut Vec<Point>, more: impl ExactSizeIterator<Item = Point>) -> Result<(), String> {
    if points.len().saturating_add(more.len()) > MAX_POINTS {
        return Err(format!("a series of more than {MAX_POINTS} points"));
    }
    points.extend(more);
    Ok(())
}

fn item(item: &str, points: &mut Vec<Point>) -> Result<(), String> {
    let (values, times) = match item.rsplit_once('x') {
        Some((values, times)) => (values, Some(count(times, item)?)),
        None => (item, None),
    };
    if values == "_" {
        return push(
            points,
            std::iter::repeat_n(Point::Omitted, times.unwrap_or(1)),
        );
    }
    if values == "stale" {
        let stale = Point::Value(stale_marker());
        return push(
            points,
            std::iter::repeat_n(stale, times.map_or(1, |times| times + 1)),
        );
    }
    // The sign of the increment is neither the first character nor part of an exponent.
    let bytes = values.as_bytes();
    let sign = (1..bytes.len())
        .find(|&at| matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E'));
    let (first, increment) = match (sign, times) {
        (Some(at), Some(_)) => (number(&values[..at])?, Some(number(&values[at..])?)),
        _ => (number(values)?, None),
    };
    let mut value = first;
    let sequence = (0..=times.unwrap_or(0)).map(|_| {
        let point = Point::Value(value);
        if let Some(increment) = increment {
            value += increment;
        }
        point
    });
    push(points, sequence.collect::<Vec<_>>().into_iter())
}

fn count(text: &str, item: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|&count| count <= MAX_POINTS);
    count.ok_or_else(|| format!("{text:?} in {item:?} is not a count"))
}

/// Parses a number as written in scripts: `1`, `-1.5e3`, `+Inf`, `NaN`, also `0x1f`.
pub(super) fn number(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a number");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x") {
        let number = i64::from_str_radix(hex, 16).map_err(|_| wrong())?;
        return Ok(sign * number as f64);
    }
    if digits.starts_with(['+', '-']) || digits.is_empty() {
        return Err(wrong());
    }
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    Ok(sign * number)
}

/// The end of the name and the braces.
fn metric_end(line: &str) -> Result<usize, String> {
    let name = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let name = name.unwrap_or(line.len());
    if !line[name..].starts_with('{') {
        return match name {
            0 => Err(format!("{line:?} does not start with a metric")),
            name => Ok(name),
        };
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in line[name..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '}') => return Ok(name + at + 1),
            _ => {}
        }
    }
    Err(format!("the braces of {line:?} are not closed"))
}

/// The labels of a metric, written as a selector with `=` matchers only.
fn labels(metric: &str) -> Result<Labels, String> {
    let braces = metric.find('{').unwrap_or(metric.len());
    let (name, braces) = metric.split_at(braces);
    // A name is added because a selector must not select every series.
    let parsed = parse(&format!("_{braces}")).or_else(|_| parse(braces));
    let (selector, named) = match parsed {
        Ok(Expr::Selector(selector)) => (selector, name),
        Ok(_) => return Err(format!("{metric:?} is not a metric")),
        Err(error) => return Err(error.message),
    };
    let Selector {
        name: inner,
        matchers,
        ..
    } = selector;
    let mut conditions = matchers.iter().map(|one| one.matcher.op());
    if conditions.any(|op| op != MatchOp::Equal) {
        return Err(format!("{metric:?} has a matcher other than `=`"));
    }
    let inner = inner.map(|inner| inner.text).filter(|inner| inner != "_");
    let matchers = matchers.iter().map(|one| &one.matcher);
    let pairs = matchers.map(|one: &Matcher| (one.name().to_owned(), one.value().to_owned()));
    let name = inner.unwrap_or_else(|| named.to_owned());
    let name = (!name.is_empty()).then(|| (crate::METRIC_NAME.to_owned(), name));
    Ok(Labels::new(name.into_iter().chain(pairs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<f64> {
        let points = points(text).unwrap();
        let values = points.iter().map(|point| match point {
            Point::Value(value) => *value,
            _ => -1.0,
        });
        values.collect()
    }

    #[test]
    fn sequences() {
        assert_eq!(
            values("1 2+3x2 5-1x2 7x2 _ _x2 1e-3+1e-3x1"),
            [
                1.0, 2.0, 5.0, 8.0, 5.0, 4.0, 3.0, 7.0, 7.0, 7.0, -1.0, -1.0, -1.0, 0.001, 0.002
            ]
        );
        assert!(values("NaN")[0].is_nan());
        assert_eq!(values("-Inf Inf"), [f64::NEG_INFINITY, f64::INFINITY]);
        assert!(crate::value::is_stale(values("stale")[0]));
        assert_eq!(
            points("{{count:1 sum:2}}+{{count:1}}x1 3").unwrap().len(),
            3
        );
        for wrong in ["1x", "x3", "1+x2", "abc", "1x9999999999", "{{count:1"] {
            assert!(points(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn metrics() {
        for (line, expected) in [
            ("up 1", "up"),
            (r#"up{a="b}", c='d'} 1"#, r#"up{a="b}", c="d"}"#),
            ("{} 1", "{}"),
            (r#"{a="b"} 1"#, r#"{a="b"}"#),
            (r#"{__name__="up",a="b"} 1"#, r#"up{a="b"}"#),
            (r#"{"up",a="b"} 1"#, r#"up{a="b"}"#),
        ] {
            let (labels, points) = series(line).unwrap();
            assert_eq!(labels.to_string(), expected);
            assert_eq!(points, [Point::Value(1.0)]);
        }
    }
}
