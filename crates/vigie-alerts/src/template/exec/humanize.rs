//! Numbers with units, as Prometheus' `humanize` functions write them (`template/template.go`).

use super::go::float;

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// Four significant digits.
fn digits(number: f64) -> String {
    float(number, 'g', Some(4))
}

/// A number in four digits with a decimal prefix: `1.235M`.
#[must_use]
pub fn metric(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return digits(number);
    }
    match number.abs() >= 1.0 {
        true => large(number, 1_000.0, &LARGE),
        false => {
            let (number, prefix) = small(number);
            format!("{}{prefix}", digits(number))
        }
    }
}

/// With a binary prefix: `1.5Mi`.
pub(crate) fn binary(number: f64) -> String {
    if number.abs() <= 1.0 || !number.is_finite() {
        return digits(number);
    }
    large(number, 1_024.0, &BINARY)
}

/// Seconds as days, hours, minutes and seconds: `2d 3h 4m 5s`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return digits(seconds);
    }
    if seconds == 0.0 {
        return format!("{}s", digits(seconds));
    }
    if seconds.abs() < 1.0 {
        let (number, prefix) = small(seconds);
        return format!("{}{prefix}s", digits(number));
    }
    let (sign, seconds) = match seconds < 0.0 {
        true => ("-", -seconds),
        false => ("", seconds),
    };
    let whole = seconds as i64;
    let (day, hour, minute, second) = (
        whole / 86_400,
        whole / 3_600 % 24,
        whole / 60 % 60,
        whole % 60,
    );
    match (day, hour, minute) {
        (0, 0, 0) => format!("{sign}{}s", digits(seconds)),
        (0, 0, _) => format!("{sign}{minute}m {second}s"),
        (0, ..) => format!("{sign}{hour}h {minute}m {second}s"),
        _ => format!("{sign}{day}d {hour}h {minute}m {second}s"),
    }
}

/// A ratio as a percentage: `95.9%`.
pub(crate) fn percentage(ratio: f64) -> String {
    format!("{}%", digits(ratio * 100.0))
}

fn large(mut number: f64, base: f64, prefixes: &[&'static str]) -> String {
    let mut prefix = "";
    for next in prefixes {
        if number.abs() < base {
            break;
        }
        prefix = next;
        number /= base;
    }
    format!("{}{prefix}", digits(number))
}

fn small(mut number: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in SMALL {
        if number.abs() >= 1.0 {
            break;
        }
        prefix = next;
        number *= 1_000.0;
    }
    (number, prefix)
}
