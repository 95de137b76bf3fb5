//! Values of several kinds.

use std::time::Duration;

use crate::engine::Time;
use crate::finding::Finding;
use crate::lint::Lint;
use crate::rules::reader::{Field, Reader};
use crate::yaml::{Node, Text, shown};

/// A time in seconds or as in RFC 3339.
pub(super) fn start(field: Field<'_>, reader: &mut Reader) -> Time {
    let Some(text) = reader.any_text(field) else {
        return 0;
    };
    let seconds = text.float().filter(|seconds| seconds.abs() < 1e12);
    let date = || text.parse::<jiff::Timestamp>().ok();
    let millis = seconds
        .map(|seconds| (seconds * 1e3) as i64)
        .or_else(|| Some(date()?.as_millisecond()));
    millis.unwrap_or_else(|| {
        let label = "seconds since 1970, or as in 2026-01-31T12:00:00Z";
        invalid(text, "a time", label, reader);
        0
    })
}

pub(super) fn time(field: Option<Field<'_>>, reader: &mut Reader) -> Duration {
    let duration = field.and_then(|field| reader.duration(field));
    duration.unwrap_or(Duration::ZERO)
}

pub(super) fn boolean(field: Field<'_>, reader: &mut Reader) -> bool {
    let Some(text) = reader.any_text(field) else {
        return false;
    };
    let known = text.boolean();
    if known.is_none() {
        invalid(text, "true or false", "without quotes", reader);
    }
    known.unwrap_or(false)
}

pub(super) fn pairs(field: Option<Field<'_>>, reader: &mut Reader) -> Vec<(String, String)> {
    let Some(table) = field else {
        return Vec::new();
    };
    let what = format!("`{}`", shown(table.key));
    let fields = reader.table(table.value, &what);
    let pairs = fields.into_iter().map(|field| {
        let value = reader.any_text(field).map(|text| text.to_string());
        (field.key.to_string(), value.unwrap_or_default())
    });
    pairs.collect()
}

pub(super) fn texts(field: Option<Field<'_>>, reader: &mut Reader) -> Vec<Text> {
    let Some(key) = field.map(|field| field.key) else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for value in items(field, reader) {
        texts.extend(reader.any_text(Field { key, value }).cloned());
    }
    texts
}

pub(super) fn items<'a>(field: Option<Field<'a>>, reader: &mut Reader) -> Vec<&'a Node> {
    let Some(list) = field else {
        return Vec::new();
    };
    let what = format!("`{}`", shown(list.key));
    let items = reader.list(list.value, &what);
    items.iter().map(|node| &**node).collect()
}

pub(super) fn invalid(text: &Text, what: &str, label: &str, reader: &mut Reader) {
    let title = format!("`{}` is not {what}", shown(text));
    reader.find(Finding::new(Lint::InvalidValue, text.span(), title, label));
}
