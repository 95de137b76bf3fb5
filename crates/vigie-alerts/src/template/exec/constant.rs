//! Numbers in templates.

use super::value::Value;

/// A constant: a float if it has a point or an exponent, an integer otherwise.
pub(super) fn number(text: &str) -> Result<Value, String> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter();
    let mut prefixed =
        radix.filter_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, radix)));
    let is_octal =
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let integer = match prefixed.next() {
        Some((digits, radix)) => i64::from_str_radix(digits, radix).ok(),
        None if is_octal => i64::from_str_radix(digits, 8).ok(),
        None => digits.parse().ok(),
    };
    if let Some(integer) = integer {
        return Ok(Value::Int(sign * integer));
    }
    match digits.parse::<f64>() {
        Ok(number) if digits.contains(['.', 'e', 'p']) => {
            Ok(Value::Float(f64::from(sign as i32) * number))
        }
        _ => Err(format!("{text} overflows int")),
    }
}
