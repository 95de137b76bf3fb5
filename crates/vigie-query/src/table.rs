//! Prints series as lines of text: common labels once in the heading, differing labels in columns.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::answer::{Labels, Series};

const NAME: &str = "__name__";

/// One line for each series, its value last.
pub(crate) fn vector(series: &[Series], ordered: bool) -> String {
    let mut series: Vec<&Series> = series.iter().collect();
    if !ordered {
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    let values: Vec<&str> = series
        .iter()
        .map(|one| {
            one.points
                .first()
                .map_or("(a native histogram)", |point| &point.text)
        })
        .collect();
    let values = aligned(&values);
    match series.as_slice() {
        [] => "no series\n".to_owned(),
        [one] => {
            let name = whole_name(&one.labels);
            let gap = if name.is_empty() { "" } else { "  " };
            format!("{name}{gap}{}\n", values[0].trim())
        }
        series => {
            let labels: Vec<&Labels> = series.iter().map(|one| &one.labels).collect();
            let (common, names) = parted(&labels);
            let mut table = heading(&common);
            let mut rows = vec![
                names
                    .iter()
                    .map(|name| title(name).to_owned())
                    .collect::<Vec<_>>(),
            ];
            rows.extend(labels.iter().map(|labels| {
                let cell = |name: &&str| printable(labels.get(*name).map_or("", String::as_str));
                names.iter().map(cell).collect()
            }));
            let widths: Vec<usize> = (0..names.len())
                .map(|at| {
                    rows.iter()
                        .map(|row| row[at].chars().count())
                        .max()
                        .unwrap_or(0)
                })
                .collect();
            for (row, cells) in rows.iter().enumerate() {
                let value = match row.checked_sub(1) {
                    None => "value",
                    Some(at) => &values[at],
                };
                let mut line = String::new();
                for (cell, width) in cells.iter().zip(&widths) {
                    let _ = write!(line, "{cell:<width$}  ");
                }
                table += (line + value).trim_end();
                table.push('\n');
            }
            table
        }
    }
}

/// Every sample of every series, under the series' name.
pub(crate) fn samples(series: &[Series], zone: &TimeZone) -> String {
    if series.is_empty() {
        return "no series\n".to_owned();
    }
    let blocks = series.iter().map(|one| {
        let values: Vec<&str> = one.points.iter().map(|point| point.text.as_str()).collect();
        let mut block = whole_name(&one.labels) + "\n";
        for (point, value) in one.points.iter().zip(aligned(&values)) {
            let time = Timestamp::from_millisecond((point.time * 1e3).round() as i64);
            let time = time.map(|time| {
                time.to_zoned(zone.clone())
                    .strftime("%F %T%.f %Z")
                    .to_string()
            });
            let _ = writeln!(block, "  {}  {value}", time.unwrap_or_default());
        }
        block
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// The series' name as PromQL writes it: `up{job="api"}`.
pub(crate) fn whole_name(labels: &Labels) -> String {
    named(labels, NAME)
}

/// The value of the label `name`, and the other labels: `up{job="api"}`.
#[must_use]
pub fn named(labels: &Labels, name: &str) -> String {
    let value = labels.get(name).map_or("", String::as_str);
    printable(value) + &braces(labels, name)
}

/// The labels without `name` as `{job="api", code="200"}`; empty without labels.
#[must_use]
pub fn braces(labels: &Labels, name: &str) -> String {
    match pairs(labels, name) {
        pairs if pairs.is_empty() => pairs,
        pairs => format!("{{{pairs}}}"),
    }
}

/// The labels without `name`: `job="api", code="200"`.
fn pairs(labels: &Labels, name: &str) -> String {
    let rest = labels.iter().filter(|(label, _)| *label != name);
    let rest = rest.map(|(label, value)| format!("{}={value:?}", printable(label)));
    rest.collect::<Vec<_>>().join(", ")
}

/// As [`whole_name`], but without braces if the series has no name.
pub(crate) fn bare_name(labels: &Labels) -> String {
    match labels.contains_key(NAME) {
        true => whole_name(labels),
        false => pairs(labels, NAME),
    }
}

/// Escapes control characters, which would reach the terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    let escaped = text.chars().map(|c| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    });
    escaped.collect()
}

/// Splits labels into those common to all series and the names of the others.
pub(crate) fn parted<'a>(all: &[&'a Labels]) -> (Labels, Vec<&'a str>) {
    let first = all.first().copied();
    let is_common = |name: &str| {
        all.iter()
            .all(|one| one.get(name) == first.and_then(|first| first.get(name)))
    };
    let names: BTreeSet<&str> = all
        .iter()
        .flat_map(|one| one.keys().map(String::as_str))
        .collect();
    let (common, differing): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| is_common(name));
    let common = common.into_iter().filter_map(|name| {
        let value = first?.get(name)?;
        Some((name.to_owned(), value.clone()))
    });
    (common.collect(), differing)
}

fn heading(common: &Labels) -> String {
    match whole_name(common) {
        name if name.is_empty() => name,
        name => name + "\n",
    }
}

fn title(name: &str) -> &str {
    if name == NAME { "metric" } else { name }
}

/// Pads numbers so that their decimal points are aligned.
fn aligned(values: &[&str]) -> Vec<String> {
    let whole = |value: &str| value.find(['.', 'e']).unwrap_or(value.len());
    let width = values.iter().map(|value| whole(value)).max().unwrap_or(0);
    let pad = |value: &&str| format!("{}{value}", " ".repeat(width - whole(value)));
    values.iter().map(pad).collect()
}
