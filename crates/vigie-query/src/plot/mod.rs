//! Plots series over time with Braille characters.

mod axis;
mod canvas;
mod legend;

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::axis::Axis;
use self::canvas::Canvas;
use crate::Terminal;
use crate::answer::{Labels, Series};
use crate::table;
use crate::time::Range;

/// The height of the canvas, in lines.
const HEIGHT: usize = 16;
/// The width of a plot is clamped to these, in columns.
const NARROWEST: usize = 40;
const WIDEST: usize = 200;
/// The approximate width of the axis, in columns.
const MARGIN: usize = 8;
/// The most series drawn; more would be indistinguishable.
const MOST: usize = 8;
/// ANSI colours: cyan, yellow, magenta, green, blue, red, bright cyan and bright yellow.
const COLOURS: [u8; MOST] = [36, 33, 35, 32, 34, 31, 96, 93];

/// The number of points that a plot of `width` columns resolves.
pub(super) fn points(width: usize) -> usize {
    (width.clamp(NARROWEST, WIDEST) - MARGIN) * canvas::ACROSS
}

/// The colour or letter of one series.
#[derive(Clone, Copy)]
struct Pen {
    at: u8,
    /// Whether series are distinguished by colour rather than by letter.
    colour: bool,
}

impl Pen {
    fn paint(self, text: &str) -> String {
        match self.colour {
            true => format!(
                "\u{1b}[{}m{text}\u{1b}[0m",
                COLOURS[usize::from(self.at) % MOST]
            ),
            false => text.to_owned(),
        }
    }

    fn letter(self) -> char {
        char::from(b'a' + self.at)
    }
}

/// Renders the heading, the plot with its axes, and the legend.
pub(super) fn plot(expr: &str, series: &[Series], range: &Range, terminal: &Terminal) -> String {
    let mut out = head(expr, range, terminal);
    let drawn = drawn(series);
    let values = drawn.iter().flat_map(|one| &one.points);
    let values = values
        .map(|point| point.value)
        .filter(|value| value.is_finite());
    let Some(axis) = Axis::over(values, HEIGHT) else {
        out += if series.is_empty() {
            "no series\n"
        } else {
            "no finite values\n"
        };
        return out;
    };
    let labels = axis.labels(HEIGHT);
    let margin = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(0);
    let width = terminal.width.clamp(NARROWEST, WIDEST) - margin - 3;
    let mut canvas = Canvas::new(width, HEIGHT);
    let (from, to) = (unix(range.start), unix(range.end));
    let step = range.step.as_secs_f64();
    for (pen, one) in drawn.iter().enumerate() {
        let mut before: Option<(f64, (usize, usize))> = None;
        for point in one.points.iter().filter(|point| point.value.is_finite()) {
            let dot = canvas.dot(
                (point.time - from) / (to - from),
                axis.height_of(point.value),
            );
            match before {
                // A missing point is a gap.
                Some((time, last)) if point.time - time < 1.5 * step => {
                    canvas.line(pen as u8, last, dot)
                }
                _ => canvas.line(pen as u8, dot, dot),
            }
            before = Some((point.time, dot));
        }
    }
    let pen = |at| Pen {
        at,
        colour: terminal.colour,
    };
    for (label, line) in labels.iter().zip(canvas.lines(pen, drawn.len() > 1)) {
        let tick = if label.is_empty() { '│' } else { '┤' };
        let _ = writeln!(out, " {label:>margin$} {tick}{line}");
    }
    let _ = writeln!(out, " {:>margin$} └{}", "", "─".repeat(width));
    let _ = writeln!(
        out,
        " {:>margin$}  {}\n",
        "",
        times(range, width, &terminal.zone)
    );
    out + &legend::legend(&drawn, series.len(), terminal)
}

/// The query and its time range.
fn head(expr: &str, range: &Range, terminal: &Terminal) -> String {
    let zoned = |time: Timestamp| time.to_zoned(terminal.zone.clone());
    let (start, end) = (zoned(range.start), zoned(range.end));
    let end_format = match start.date() == end.date() {
        true => "%H:%M:%S %Z",
        false => "%F %H:%M:%S %Z",
    };
    let expr = expr.split_whitespace().collect::<Vec<_>>().join(" ");
    let when = format!(
        "{} – {}, every {:#}",
        start.strftime("%F %H:%M:%S"),
        end.strftime(end_format),
        range.step
    );
    match terminal.colour {
        true => format!("\u{1b}[1m{expr}\u{1b}[0m\n\u{1b}[2m{when}\u{1b}[0m\n\n"),
        false => format!("{expr}\n{when}\n\n"),
    }
}

/// Selects the series with the highest maxima, sorted by labels.
fn drawn(series: &[Series]) -> Vec<&Series> {
    let highest = |one: &Series| {
        let values = one.points.iter().map(|point| point.value);
        values
            .filter(|value| value.is_finite())
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let mut drawn: Vec<&Series> = series.iter().collect();
    drawn.sort_by(|a, b| highest(b).total_cmp(&highest(a)));
    drawn.truncate(MOST);
    drawn.sort_by(|a, b| a.labels.cmp(&b.labels));
    drawn
}

/// The times at the start, in the middle and at the end, in `width` columns.
fn times(range: &Range, width: usize, zone: &TimeZone) -> String {
    let span = range.end.duration_since(range.start);
    let format = match span {
        span if span <= SignedDuration::from_mins(10) => "%H:%M:%S",
        span if span <= SignedDuration::from_hours(24) => "%H:%M",
        span if span <= SignedDuration::from_hours(8 * 24) => "%a %H:%M",
        _ => "%F",
    };
    let label = |time: Timestamp| time.to_zoned(zone.clone()).strftime(format).to_string();
    let middle = range.start.checked_add(span / 2).unwrap_or(range.start);
    let [start, middle, end] = [range.start, middle, range.end].map(label);
    let left = (width / 2).saturating_sub(start.len() + middle.len() / 2);
    let right = width.saturating_sub(start.len() + left + middle.len() + end.len());
    format!("{start}{:left$}{middle}{:right$}{end}", "", "")
}

fn unix(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1e3
}

/// The series' labels without the common ones.
fn short_name(labels: &Labels, common: &Labels) -> String {
    let apart = labels
        .iter()
        .filter(|(name, _)| !common.contains_key(*name));
    let apart: Labels = apart
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    table::bare_name(&apart)
}

#[cfg(test)]
mod tests;
