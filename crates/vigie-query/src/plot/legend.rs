//! The legend of a plot: each series with its last, smallest, mean and largest value.

use std::fmt::Write as _;

use super::{Pen, short_name};
use crate::Terminal;
use crate::answer::{Labels, Series};
use crate::table;

/// One line for each drawn series, out of `found` series.
pub(super) fn legend(drawn: &[&Series], found: usize, terminal: &Terminal) -> String {
    let labels: Vec<&Labels> = drawn.iter().map(|one| &one.labels).collect();
    let common = match labels.len() {
        1 => Labels::new(),
        _ => table::parted(&labels).0,
    };
    let mut out = match table::bare_name(&common) {
        name if name.is_empty() => name,
        name => format!(" {name}\n"),
    };
    let numbers: Vec<[String; 4]> = drawn.iter().map(|one| numbers(one)).collect();
    let names: Vec<String> = drawn
        .iter()
        .map(|one| short_name(&one.labels, &common))
        .collect();
    let wide = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let name_width = wide(&mut names.iter().map(|name| name.chars().count()));
    let titles = ["last", "min", "mean", "max"];
    let widths: Vec<usize> = (0..titles.len())
        .map(|at| wide(&mut numbers.iter().map(|row| row[at].len())).max(titles[at].len()))
        .collect();
    let columns = |cells: [&str; 4]| {
        let cells = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("  {cell:>width$}"));
        cells.collect::<String>()
    };
    let _ = writeln!(out, "    {:name_width$}{}", "", columns(titles));
    for (at, (name, row)) in names.iter().zip(&numbers).enumerate() {
        let pen = Pen {
            at: at as u8,
            colour: terminal.colour,
        };
        let mark = match (terminal.colour, drawn.len()) {
            (false, 2..) => pen.letter().to_string(),
            _ => pen.paint("━"),
        };
        let cells = columns([&row[0], &row[1], &row[2], &row[3]]);
        let _ = writeln!(out, " {mark}  {name:name_width$}{cells}");
    }
    if found > drawn.len() {
        let _ = writeln!(
            out,
            "    and {} more with lower maxima: narrow the query, or use --json",
            found - drawn.len()
        );
    }
    out
}

/// Last, smallest, mean and largest value.
fn numbers(series: &Series) -> [String; 4] {
    let values = || {
        series
            .points
            .iter()
            .map(|point| point.value)
            .filter(|value| !value.is_nan())
    };
    let last = series.points.last().map_or(f64::NAN, |point| point.value);
    let count = values().count() as f64;
    let mean = values().map(|value| value / count).sum::<f64>();
    let none = count == 0.0;
    let numbers = [
        last,
        values().fold(f64::INFINITY, f64::min),
        mean,
        values().fold(f64::NEG_INFINITY, f64::max),
    ];
    numbers.map(|number| {
        if none {
            "NaN".to_owned()
        } else {
            digits(number)
        }
    })
}

/// Formats a number with six significant digits, without trailing zeros.
fn digits(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-4..1e15).contains(&size) {
        return format!("{number:.3e}");
    }
    let whole = if size == 0.0 {
        1.0
    } else {
        size.log10().floor() + 1.0
    };
    let decimals = (6.0 - whole).clamp(0.0, 10.0) as usize;
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn six_digits() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.1 + 0.2, "0.3"),
            (1234.5678, "1234.57"),
            (123_456_789.0, "123456789"),
            (0.001_234_567_8, "0.00123457"),
            (1e-7, "1.000e-7"),
            (-1.5, "-1.5"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(digits(number), text);
        }
    }
}
