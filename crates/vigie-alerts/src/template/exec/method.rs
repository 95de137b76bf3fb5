//! The methods of values: those of Alertmanager's types, and the common ones of Go's times and durations.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::super::function::Parameter;
use super::collection::ListKind;
use super::value::Value;
use super::{layout, pairs, time};

/// The parameters of the method `name` of a value; `None` if it has no such method.
pub(super) fn parameters(value: &Value, name: &str) -> Option<&'static [Parameter]> {
    match value {
        Value::Pairs(_) => match name {
            "Names" | "SortedPairs" | "String" | "Values" => Some(&[]),
            "Remove" => Some(&[Parameter::Texts]),
            _ => None,
        },
        Value::List(list) => match (list.kind(), name) {
            (ListKind::Pairs, "Names" | "String" | "Values")
            | (ListKind::Alerts, "Firing" | "Resolved") => Some(&[]),
            (ListKind::Texts, "Join") => Some(&[Parameter::Text]),
            _ => None,
        },
        Value::Time(_) | Value::Moment(_) => match name {
            "Day" | "Hour" | "IsZero" | "Local" | "Minute" | "Month" | "Nanosecond" | "Second"
            | "String" | "UTC" | "Unix" | "UnixMicro" | "UnixMilli" | "UnixNano" | "Weekday"
            | "Year" | "YearDay" => Some(&[]),
            "After" | "Before" | "Compare" | "Equal" | "Sub" => Some(&[Parameter::Time]),
            "Format" => Some(&[Parameter::Text]),
            "Add" => Some(&[Parameter::Duration]),
            "AddDate" => Some(&[Parameter::Int, Parameter::Int, Parameter::Int]),
            _ => None,
        },
        Value::Duration(_) | Value::Span(_) => match name {
            "Abs" | "Hours" | "Microseconds" | "Milliseconds" | "Minutes" | "Nanoseconds"
            | "Seconds" | "String" => Some(&[]),
            "Round" | "Truncate" => Some(&[Parameter::Duration]),
            _ => None,
        },
        _ => None,
    }
}

/// Calls a method with as many arguments as it has parameters.
pub(super) fn call(value: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    match value {
        Value::Pairs(map) => match name {
            "SortedPairs" => pairs::list(map),
            "Names" => Ok(Value::texts(pairs::sorted(map).map(|(name, _)| name))),
            "Values" => Ok(Value::texts(pairs::sorted(map).map(|(_, value)| value))),
            "Remove" => {
                let mut left = (**map).clone();
                for text in texts(arguments.first()) {
                    left.remove(&*text);
                }
                Ok(Value::Pairs(Arc::new(left)))
            }
            _ => Ok(Value::text(pairs::display(map))),
        },
        Value::List(list) => match (list.kind(), name) {
            (ListKind::Pairs, "Names") => Ok(Value::texts(fields(list.items(), "Name"))),
            (ListKind::Pairs, "Values") => Ok(Value::texts(fields(list.items(), "Value"))),
            (ListKind::Texts, _) => {
                let all: Vec<_> = texts(Some(value)).collect();
                Ok(Value::text(all.join(text(arguments.first()))))
            }
            (ListKind::Alerts, _) => {
                let status = name.to_ascii_lowercase();
                let is_wanted = |alert: &&Value| matches!(alert.field("Status"), Ok(Value::Text(found)) if *found == *status);
                let some = list.items().iter().filter(is_wanted).cloned();
                Value::list(ListKind::SomeAlerts, some.collect())
            }
            _ => Ok(Value::text(pairs::listed(list.items()))),
        },
        Value::Duration(nanos) | Value::Span(nanos) => Ok(of_duration(*nanos, name, arguments)),
        _ => match moment(value) {
            Some(time) => of_time(&time, name, arguments),
            None => Err("not a method".to_owned()),
        },
    }
}

/// The time of a value, if it is one.
pub(super) fn moment(value: &Value) -> Option<Zoned> {
    match value {
        Value::Moment(time) => Some((**time).clone()),
        Value::Time(millis) => {
            let time = Timestamp::from_millisecond(*millis).ok()?;
            Some(time.to_zoned(TimeZone::UTC))
        }
        _ => None,
    }
}

/// The strings of a list.
pub(super) fn texts(list: Option<&Value>) -> impl Iterator<Item = Arc<str>> {
    let items = match list {
        Some(Value::List(list)) => list.items(),
        _ => &[],
    };
    items.iter().filter_map(|item| item.as_text().cloned())
}

/// A field of each struct of a list.
fn fields(items: &[Value], name: &str) -> Vec<Arc<str>> {
    let fields = items.iter().filter_map(|item| item.field(name).ok());
    fields
        .filter_map(|field| field.as_text().cloned())
        .collect()
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_text).map_or("", |text| text)
}

fn integer(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Int(number) | Value::Span(number)) => *number,
        _ => 0,
    }
}

fn of_time(time: &Zoned, name: &str, arguments: &[Value]) -> Result<Value, String> {
    let other = || {
        arguments
            .first()
            .and_then(moment)
            .unwrap_or_else(layout::zero)
    };
    let stamp = time.timestamp();
    let nanos = |nanos: i128| Value::Int(i64::try_from(nanos).unwrap_or_default());
    Ok(match name {
        "Year" => Value::Int(time.year().into()),
        "Month" => Value::text(layout::month(time)),
        "Day" => Value::Int(time.day().into()),
        "YearDay" => Value::Int(time.day_of_year().into()),
        "Weekday" => Value::text(layout::weekday(time)),
        "Hour" => Value::Int(time.hour().into()),
        "Minute" => Value::Int(time.minute().into()),
        "Second" => Value::Int(time.second().into()),
        "Nanosecond" => Value::Int(time.subsec_nanosecond().into()),
        "Unix" => nanos(stamp.as_nanosecond().div_euclid(1_000_000_000)),
        "UnixMilli" => nanos(stamp.as_nanosecond().div_euclid(1_000_000)),
        "UnixMicro" => nanos(stamp.as_nanosecond().div_euclid(1_000)),
        "UnixNano" => nanos(stamp.as_nanosecond()),
        "IsZero" => Value::Bool(stamp == layout::zero().timestamp()),
        "UTC" | "Local" => Value::Moment(Arc::new(stamp.to_zoned(TimeZone::UTC))),
        "After" => Value::Bool(stamp > other().timestamp()),
        "Before" => Value::Bool(stamp < other().timestamp()),
        "Equal" => Value::Bool(stamp == other().timestamp()),
        "Compare" => Value::Int(stamp.cmp(&other().timestamp()) as i64),
        "Sub" => Value::Span(between(time, &other())),
        "Format" => Value::text(layout::format(time, text(arguments.first()))),
        "Add" => {
            let length = SignedDuration::from_nanos(integer(arguments.first()));
            let sum = time
                .checked_add(length)
                .map_err(|error| error.to_string())?;
            Value::Moment(Arc::new(sum))
        }
        "AddDate" => Value::Moment(Arc::new(add_date(time, arguments)?)),
        _ => Value::text(time::display(&Value::Moment(Arc::new(time.clone())))),
    })
}

/// The time from `start` to `end` in nanoseconds; the longest duration if it is longer.
pub(super) fn between(end: &Zoned, start: &Zoned) -> i64 {
    let length = end.timestamp().as_nanosecond() - start.timestamp().as_nanosecond();
    let longest = if length < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(length).unwrap_or(longest)
}

fn add_date(time: &Zoned, arguments: &[Value]) -> Result<Zoned, String> {
    let [years, months, days] = [0, 1, 2].map(|at| integer(arguments.get(at)));
    let sum = Span::new()
        .try_years(years)
        .and_then(|span| span.try_months(months))
        .and_then(|span| span.try_days(days))
        .and_then(|span| time.checked_add(span));
    sum.map_err(|error| error.to_string())
}

fn of_duration(nanos: i64, name: &str, arguments: &[Value]) -> Value {
    let unit = integer(arguments.first());
    match name {
        "Abs" => Value::Span(nanos.saturating_abs()),
        "Hours" => Value::Float(nanos as f64 / 3.6e12),
        "Minutes" => Value::Float(nanos as f64 / 6e10),
        "Seconds" => Value::Float(nanos as f64 / 1e9),
        "Milliseconds" => Value::Int(nanos / 1_000_000),
        "Microseconds" => Value::Int(nanos / 1_000),
        "Nanoseconds" => Value::Int(nanos),
        "Truncate" if unit > 0 => Value::Span(nanos - nanos % unit),
        "Round" if unit > 0 => {
            let rest = (nanos % unit).abs();
            let down = nanos - nanos % unit;
            Value::Span(match rest.saturating_mul(2) < unit {
                true => down,
                false => down.saturating_add(unit * nanos.signum()),
            })
        }
        "Truncate" | "Round" => Value::Span(nanos),
        _ => Value::text(time::duration(nanos)),
    }
}
