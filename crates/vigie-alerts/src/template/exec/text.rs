//! Texts: numbers in them, and their cases.

use unicode_segmentation::UnicodeSegmentation as _;

use super::value::Value;

/// A number, or a string or duration that stands for one (`convertToFloat`).
pub(super) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Duration(nanos) | Value::Span(nanos) => Ok(*nanos as f64 / 1e9),
        Value::Text(text) => match parse_float(text) {
            Some(number) if number.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                let text = super::go::quote(text);
                Err(format!(
                    "strconv.ParseFloat: parsing {text}: value out of range"
                ))
            }
            Some(number) => Ok(number),
            None => {
                let text = super::go::quote(text);
                Err(format!(
                    "strconv.ParseFloat: parsing {text}: invalid syntax"
                ))
            }
        },
        other => {
            let kind = other.kind();
            Err(format!("can't convert {kind} to float"))
        }
    }
}

fn parse_float(text: &str) -> Option<f64> {
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let word = plain.to_ascii_lowercase();
    let is_word =
        matches!(word.as_str(), "inf" | "infinity") || word == "nan" && plain.len() == text.len();
    if let Some(number) = hexadecimal(plain) {
        return Some(if text.starts_with('-') {
            -number
        } else {
            number
        });
    }
    match is_word || plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        true => text.parse().ok(),
        false => None,
    }
}

/// `0x1.8p3`: a hexadecimal mantissa with a power of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let text = text.to_ascii_lowercase();
    let (mantissa, power) = text.strip_prefix("0x")?.split_once('p')?;
    let power: i32 = power.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > 14 {
        return None;
    }
    let mantissa = u64::from_str_radix(&digits, 16).ok()?;
    Some(mantissa as f64 * 2f64.powi(power - 4 * fraction.len() as i32))
}

/// The first letter of every word in upper case, as `cases.Title`; `lowers` says whether the others become lower case.
pub(super) fn title(text: &str, lowers: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_word_bounds() {
        let first = word.char_indices().find(|(_, c)| c.is_alphabetic());
        let Some((at, first)) = first else {
            out.push_str(word);
            continue;
        };
        let rest = &word[at + first.len_utf8()..];
        out.push_str(&word[..at]);
        out.extend(first.to_uppercase());
        match lowers {
            true => out.push_str(&rest.to_lowercase()),
            false => out.push_str(rest),
        }
    }
    out
}

/// `strings.ToUpper`, which replaces each character by one character.
pub(super) fn upper(text: &str) -> String {
    text.chars().map(|c| one(c, c.to_uppercase())).collect()
}

/// `strings.ToLower`, which replaces each character by one character.
pub(super) fn lower(text: &str) -> String {
    let lower = |c| match c {
        'İ' => 'i',
        c => one(c, c.to_lowercase()),
    };
    text.chars().map(lower).collect()
}

/// The character of another case, if it is a single one.
fn one(c: char, mut other: impl Iterator<Item = char>) -> char {
    match (other.next(), other.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}
