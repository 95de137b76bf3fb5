//! Parsing and formatting of numbers and durations.

use super::token::TokenKind;

/// The units of durations, from large to small, with their milliseconds.
pub const DURATION_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration, as in Go: 2^63 - 1 nanoseconds, about 292 years.
pub(super) const MAX_SECONDS: f64 = 9_223_372_036.854_776;

/// Scans the number or duration at the start of `text`, which starts with a digit or a dot. Returns its length and
/// value.
pub(super) fn scan(text: &str) -> (usize, Result<TokenKind, String>) {
    let len = extent(text);
    let word = &text[..len];
    let kind = if let Some(number) = number(word) {
        number.map(TokenKind::Number)
    } else if word.ends_with(['s', 'm', 'h', 'd', 'w', 'y']) {
        parse_duration(word).map(|millis| TokenKind::Duration(millis as f64 / 1000.0))
    } else {
        Err(format!("{word:?} is neither a number nor a duration"))
    };
    (len, kind)
}

/// The length of a number: letters, digits, dots, underscores, and the sign of an exponent.
fn extent(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hex = bytes.len() > 1 && bytes[0] == b'0' && matches!(bytes[1], b'x' | b'X');
    let mut len = 0;
    while let Some(&byte) = bytes.get(len) {
        let sign = matches!(byte, b'+' | b'-')
            && !hex
            && len > 0
            && matches!(bytes[len - 1], b'e' | b'E')
            && bytes[..len - 1]
                .iter()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_'));
        if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || sign) {
            break;
        }
        len += 1;
    }
    len
}

/// Returns `None` if `word` does not look like a number.
fn number(word: &str) -> Option<Result<f64, String>> {
    let separated = |word: &str, digit: fn(&u8) -> bool| {
        let bytes = word.as_bytes();
        let mut underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
        underscores
            .all(|(at, _)| at > 0 && digit(&bytes[at - 1]) && bytes.get(at + 1).is_some_and(digit))
    };
    let out_of_range = || Err(format!("the number {word} is out of range"));
    if let Some(digits) = word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        let digits = digits.strip_prefix('_').unwrap_or(digits);
        let valid = digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'_');
        if !valid || digits.is_empty() || !separated(digits, u8::is_ascii_hexdigit) {
            return None;
        }
        let number = i64::from_str_radix(&digits.replace('_', ""), 16);
        return Some(number.map_or_else(|_| out_of_range(), |number| Ok(number as f64)));
    }
    let shape = |byte: u8| byte.is_ascii_digit() || b"._eE+-".contains(&byte);
    if !word.bytes().all(shape) || !separated(word, u8::is_ascii_digit) {
        return None;
    }
    let plain = word.replace('_', "");
    let octal = plain.len() > 1 && plain.starts_with('0');
    if octal && let Ok(number) = i64::from_str_radix(&plain, 8) {
        return Some(Ok(number as f64));
    }
    let number: f64 = plain.parse().ok()?;
    Some(if number.is_finite() {
        Ok(number)
    } else {
        out_of_range()
    })
}

/// Parses a duration such as `1h30m` to milliseconds. Units from years to milliseconds, each at most once, in
/// descending order.
///
/// # Errors
/// For people: the text is not a duration, or exceeds 292 years (64 bits of nanoseconds).
pub fn parse_duration(word: &str) -> Result<i64, String> {
    let fault = || {
        format!("{word:?} is not a duration: write 30s, 5m or 1h30m, units in order y w d h m s ms")
    };
    let mut rest = word;
    let mut next = 0;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let letters = rest[digits..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len() - digits);
        let (count, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        let at = DURATION_UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(fault)?;
        if at < next || count.is_empty() || unit.is_empty() {
            return Err(fault());
        }
        next = at + 1;
        let count: Option<u64> = count.parse().ok();
        total = count
            .and_then(|count| count.checked_mul(DURATION_UNITS[at].1))
            .and_then(|millis| total.checked_add(millis))
            .filter(|total| *total <= (i64::MAX / 1_000_000) as u64)
            .ok_or_else(|| format!("the duration {word} is out of range"))?;
        rest = &rest[digits + letters..];
    }
    i64::try_from(total).map_err(|_| fault())
}

/// Formats milliseconds as Prometheus does: `1h30m`, `1w`, `0s`; years and weeks only if nothing remains.
#[must_use]
pub fn format_duration(millis: i64) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_duration(&mut text, millis);
    text
}

pub(super) fn write_duration(out: &mut impl std::fmt::Write, millis: i64) -> std::fmt::Result {
    if millis == 0 {
        return out.write_str("0s");
    }
    if millis < 0 {
        out.write_char('-')?;
    }
    let mut rest = millis.unsigned_abs();
    for (unit, size) in DURATION_UNITS {
        let whole = matches!(unit, "y" | "w");
        if rest < size || (whole && !rest.is_multiple_of(size)) {
            continue;
        }
        write!(out, "{}{unit}", rest / size)?;
        rest %= size;
    }
    Ok(())
}
