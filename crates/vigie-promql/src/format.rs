//! Go's formats of numbers and times, for texts that must equal those of Prometheus.

use std::fmt::{self, Display, Write};

use crate::functions::date::Date;

/// The longest text of an error or annotation, in bytes: labels made by a query can be much longer.
const MAX_TEXT: usize = 2 << 10;

/// The text, truncated to [`MAX_TEXT`]. The rest is never formatted.
pub(crate) fn shortened(text: impl Display) -> String {
    let mut short = Short(String::new());
    if write!(short, "{text}").is_err() {
        short.0.push('…');
    }
    short.0
}

struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT.saturating_sub(self.0.len());
        let fits = text.floor_char_boundary(room);
        self.0.push_str(&text[..fits]);
        match fits == text.len() {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

/// Go's `%g`: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
#[must_use]
pub fn go_general(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        return with_exponent(digits, exponent);
    }
    format!("{value}")
}

/// Go's `%.2g`.
pub(crate) fn two_digits(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return go_general(value);
    }
    let scientific = format!("{value:.1e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if !(-4..2).contains(&exponent) {
        return with_exponent(digits, exponent);
    }
    let decimals = usize::try_from(1 - exponent).unwrap_or(0);
    let plain = format!("{value:.decimals$}");
    match plain.contains('.') {
        true => plain.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => plain,
    }
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// `2006-01-02T15:04:05Z`, without milliseconds.
pub(crate) fn rfc3339(millis: i64) -> String {
    let date = Date::of(millis.div_euclid(1000));
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year, date.month, date.day, date.hour, date.minute, date.second
    )
}

/// Go's `FormatFloat(value, 'f', -1, 64)`, the format of numbers in label values.
pub(crate) fn plain(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{value}")
}

/// The format of OpenMetrics for label values: as [`go_general`], with `.0` after an integer.
pub(crate) fn open_metrics(value: f64) -> String {
    let text = go_general(value);
    match value.is_finite() && !text.contains(['.', 'e']) {
        true => text + ".0",
        false => text,
    }
}
