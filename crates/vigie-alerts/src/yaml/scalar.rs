//! Numbers and truth values of YAML 1.1, as Prometheus and Alertmanager read them.

use super::Text;

impl Text {
    /// A whole number; a fraction is truncated, as Prometheus does. `None` if the text is quoted or is not a number.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        self.is_plain().then(|| integer(self)).flatten()
    }

    /// A number; `None` if the text is quoted or is not one.
    #[must_use]
    pub fn float(&self) -> Option<f64> {
        let text: &str = self;
        if !self.is_plain() {
            return None;
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        if [".inf", ".Inf", ".INF"].contains(&unsigned) {
            return Some(sign * f64::INFINITY);
        }
        if [".nan", ".NaN", ".NAN"].contains(&text) {
            return Some(f64::NAN);
        }
        let digits = unsigned.trim_start_matches('.');
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let plain = text.replace('_', "");
        let plain = plain.strip_prefix('+').unwrap_or(&plain);
        let number = plain.parse::<f64>().ok();
        number.or_else(|| integer(text).map(|number| number as f64))
    }

    /// A truth value; `None` if the text is quoted or is not one.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match &**self {
            _ if !self.is_plain() => None,
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
                Some(true)
            }
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n"
            | "N" => Some(false),
            _ => None,
        }
    }
}

fn integer(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            let magnitude = i64::from_str_radix(digits, radix);
            return magnitude.ok().map(|magnitude| sign * magnitude);
        }
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number = text.parse::<f64>().ok()?;
    // 2^63 is the first number that does not fit.
    (number.abs() < 9_223_372_036_854_775_808.0).then_some(number as i64)
}
