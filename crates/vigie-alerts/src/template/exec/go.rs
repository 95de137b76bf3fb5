//! Numbers and strings as Go's `strconv` and `fmt` format them.

use std::fmt::Write as _;

/// Formats a float as `strconv.FormatFloat(number, verb, precision, 64)` does; no precision is the shortest form that
/// reads back as the same number. The verbs are `e`, `f` and `g`, and their upper case.
pub(crate) fn float(number: f64, verb: char, precision: Option<usize>) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        let sign = if number < 0.0 { '-' } else { '+' };
        return format!("{sign}Inf");
    }
    let text = match verb.to_ascii_lowercase() {
        'b' => binary(number),
        'x' => hexadecimal(number, precision),
        'f' => match precision {
            Some(precision) => fixed(number, precision),
            None => format!("{number}"),
        },
        'e' => exponent(number, precision),
        _ => general(number, precision),
    };
    match verb.is_ascii_uppercase() {
        true => text.to_uppercase(),
        false => text,
    }
}

/// More digits than any number has behind its point; further ones are zeros. Rust's formats take at most 65,535.
const MOST_DIGITS: usize = 1_100;

/// A number with some digits behind its point.
fn fixed(number: f64, digits: usize) -> String {
    let text = format!("{number:.0$}", digits.min(MOST_DIGITS));
    text + &"0".repeat(digits.saturating_sub(MOST_DIGITS))
}

/// `d.ddde±dd`, with at least two digits in the exponent.
fn exponent(number: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{number:.0$e}", precision.min(MOST_DIGITS)),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let zeros = "0".repeat(precision.unwrap_or(0).saturating_sub(MOST_DIGITS));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}{zeros}e{sign}{digits:0>2}")
}

/// The mantissa as an integer and the power of two: `4503599627370496p-52`.
fn binary(number: f64) -> String {
    let (sign, mantissa, power) = parts(number);
    format!("{sign}{mantissa}p{power:+}")
}

/// `0x1.fffp±dd`.
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    let (sign, mut mantissa, mut power) = parts(number);
    if mantissa == 0 {
        power = 0;
    } else {
        // The leading bit stands before the point.
        let shift = mantissa.leading_zeros() - 11;
        mantissa <<= shift;
        power += 52 - shift as i32;
    }
    let mut digits = mantissa << 11;
    if let Some(precision) = precision
        && precision < 13
    {
        // Rounds half to even at the last kept digit.
        let dropped = 63 - 4 * precision as u32;
        let half = 1u64 << (dropped - 1);
        let (kept, rest) = (digits >> dropped, digits & ((1 << dropped) - 1));
        let up = rest > half || rest == half && kept & 1 == 1;
        let rounded = kept + u64::from(up);
        if rounded >> (4 * precision) > 1 {
            digits = 1 << 63;
            power += 1;
        } else {
            digits = rounded << dropped;
        }
    }
    let fraction = format!("{:016x}", digits << 1);
    let fraction = match precision {
        Some(precision) => {
            let zeros = "0".repeat(precision.saturating_sub(fraction.len()));
            fraction[..precision.min(fraction.len())].to_owned() + &zeros
        }
        None => fraction.trim_end_matches('0').to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let (power_sign, power) = if power < 0 {
        ('-', -power)
    } else {
        ('+', power)
    };
    format!(
        "{sign}0x{}{point}{fraction}p{power_sign}{power:02}",
        digits >> 63
    )
}

/// Sign, mantissa and power of two of a finite number.
fn parts(number: f64) -> (&'static str, u64, i32) {
    let bits = number.to_bits();
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    match exponent {
        0 => (sign, fraction, -1074),
        _ => (sign, fraction | 1 << 52, exponent - 1075),
    }
}

/// The shorter of the two forms, without trailing zeros.
fn general(number: f64, precision: Option<usize>) -> String {
    let digits = precision.map(|precision| precision.max(1) - 1);
    let scientific = exponent(number, digits);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let significant = mantissa.chars().filter(char::is_ascii_digit).count() as i32;
    // `strconv` uses an exponent from this power of ten on (`formatDigits` in `ftoa.go`).
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = precision.max(1) as i32;
            match precision > significant && significant > power {
                true => significant,
                false => precision,
            }
        }
    };
    if power < -4 || power >= limit {
        let (_, power) = scientific.split_once('e').unwrap_or(("", "+00"));
        return format!("{mantissa}e{power}");
    }
    let decimals = (significant - 1 - power).max(0) as usize;
    fixed(number, decimals)
}

/// A string in double quotes, as `strconv.Quote` writes it.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        escape(&mut quoted, c, '"');
    }
    quoted.push('"');
    quoted
}

/// A character in single quotes, as `strconv.QuoteRune` writes it.
pub(crate) fn quote_char(c: char) -> String {
    let mut quoted = String::from('\'');
    escape(&mut quoted, c, '\'');
    quoted.push('\'');
    quoted
}

/// A quoted text with all characters beyond ASCII escaped, as `strconv.QuoteToASCII` writes it.
pub(crate) fn ascii(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        match c as u32 {
            0..0x80 => out.push(c),
            code @ 0x80..0x1_0000 => {
                let _ = write!(out, "\\u{code:04x}");
            }
            code => {
                let _ = write!(out, "\\U{code:08x}");
            }
        }
    }
    out
}

fn escape(out: &mut String, c: char, quote: char) {
    match c {
        c if c == quote || c == '\\' => {
            out.push('\\');
            out.push(c);
        }
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        c if is_printable(c) => out.push(c),
        c if (c as u32) < 0x80 => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c if (c as u32) < 0x1_0000 => {
            let _ = write!(out, "\\u{:04x}", c as u32);
        }
        c => {
            let _ = write!(out, "\\U{:08x}", c as u32);
        }
    }
}

/// Whether Go prints a character as it is: letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_printable(c: char) -> bool {
    // Rust's debug format escapes the same characters, but also a combining mark that no character precedes.
    let shown: String = ['a', c].iter().collect();
    matches!(c, '\'' | '"') || !shown.escape_debug().skip(1).any(|shown| shown == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        for (number, verb, precision, expected) in [
            (0.0, 'g', None, "0"),
            (1.0, 'g', None, "1"),
            (-0.0, 'g', None, "-0"),
            (0.1, 'g', None, "0.1"),
            (1_000_000.0, 'g', None, "1e+06"),
            (123_456.0, 'g', None, "123456"),
            (1_234_567.0, 'g', None, "1.234567e+06"),
            (0.000_1, 'g', None, "0.0001"),
            (0.000_01, 'g', None, "1e-05"),
            (1234.5, 'g', Some(4), "1234"),
            (1235.5, 'g', Some(4), "1236"),
            (12_345.0, 'g', Some(4), "1.234e+04"),
            (100_000.0, 'g', Some(4), "1e+05"),
            (1000.0, 'g', Some(4), "1000"),
            (0.95, 'g', Some(4), "0.95"),
            (1.0, 'f', Some(6), "1.000000"),
            (2.5, 'f', Some(0), "2"),
            (1e21, 'f', None, "1000000000000000000000"),
            (1234.5, 'e', Some(2), "1.23e+03"),
            (1e100, 'e', None, "1e+100"),
            (1e100, 'E', None, "1E+100"),
            (f64::NAN, 'g', None, "NaN"),
            (f64::INFINITY, 'f', Some(2), "+Inf"),
            (f64::NEG_INFINITY, 'g', None, "-Inf"),
        ] {
            assert_eq!(
                float(number, verb, precision),
                expected,
                "{number} {verb} {precision:?}"
            );
        }
    }

    #[test]
    fn quotes() {
        assert_eq!(
            quote("a\"b\\\n\u{1}é\u{200b}😀"),
            "\"a\\\"b\\\\\\n\\x01é\\u200b😀\""
        );
        // Combining marks are printable, those of rare scripts too.
        assert_eq!(
            quote("a\u{301}\u{740}\u{859}\u{a0}"),
            "\"a\u{301}\u{740}\u{859}\\u00a0\""
        );
        assert_eq!(quote_char('\''), r"'\''");
    }
}
