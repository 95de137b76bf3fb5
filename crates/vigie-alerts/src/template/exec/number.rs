//! Numbers in the formats of Go's `fmt`.

use super::format::Spec;
use super::go;
use super::out::Out;
use super::value::Value;

impl Spec {
    pub(super) fn integer(&self, out: &mut Out, number: i64, value: &Value, verb: char) {
        let size = number.unsigned_abs();
        let digits = match verb {
            'v' | 'd' => size.to_string(),
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            'c' => return self.pad(out, &character(number).to_string()),
            'q' if self.plus => {
                return self.pad(out, &go::ascii(&go::quote_char(character(number))));
            }
            'q' => return self.pad(out, &go::quote_char(character(number))),
            'U' => {
                let digits = self.precision.unwrap_or(4).max(4);
                let hex = format!("{number:X}");
                let zeros = "0".repeat(digits.saturating_sub(hex.len()));
                let text = format!("U+{zeros}{hex}");
                return self.signed(out, "", &text, false);
            }
            _ => return self.wrong_verb(out, value, verb),
        };
        // A precision of 0 prints no digit for the value 0.
        let digits = match self.precision {
            Some(0) if number == 0 => String::new(),
            Some(precision) => "0".repeat(precision.saturating_sub(digits.len())) + &digits,
            None => digits,
        };
        let prefix = match (self.sharp, verb) {
            (_, 'O') => "0o",
            (true, 'b') => "0b",
            (true, 'o') if !digits.starts_with('0') => "0",
            (true, 'x') => "0x",
            (true, 'X') => "0X",
            _ => "",
        };
        let sign = self.sign(number < 0);
        let zero = self.zero && self.precision.is_none();
        self.signed(out, sign, &format!("{prefix}{digits}"), zero);
    }

    pub(super) fn float(&self, out: &mut Out, number: f64, value: &Value, verb: char) {
        let (verb, precision) = match verb {
            'v' => ('g', self.precision),
            'e' | 'E' | 'f' => (verb, self.precision.or(Some(6))),
            'F' => ('f', self.precision.or(Some(6))),
            'g' | 'G' | 'b' | 'x' | 'X' => (verb, self.precision),
            _ => return self.wrong_verb(out, value, verb),
        };
        let mut text = go::float(number, verb, precision);
        if self.sharp && verb != 'b' && number.is_finite() {
            text = with_point(&text, verb, precision);
        }
        let (is_negative, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (text.starts_with('-'), digits),
            None => (false, text.as_str()),
        };
        // An infinite number has a sign of its own.
        let sign = match self.sign(is_negative) {
            "" if text.starts_with('+') => "+",
            sign => sign,
        };
        self.signed(out, sign, digits, self.zero && number.is_finite());
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match (is_negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    /// Writes a number; zeros go between its sign and its digits.
    fn signed(&self, out: &mut Out, sign: &str, digits: &str, zero: bool) {
        let length = sign.chars().count() + digits.chars().count();
        match self.width {
            Some(width) if zero && width > length => {
                out.push_str(sign);
                out.repeat('0', width - length);
                out.push_str(digits);
            }
            _ => Self {
                zero: false,
                ..self.clone()
            }
            .pad(out, &format!("{sign}{digits}")),
        }
    }
}

/// Adds the decimal point, and for `g` the trailing zeros, that the flag `#` asks for.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let split = text.find(['e', 'E', 'p', 'P']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(split);
    let mut mantissa = mantissa.to_owned();
    if !mantissa.contains('.') {
        mantissa.push('.');
    }
    if matches!(verb, 'g' | 'G') {
        let digits = mantissa.trim_start_matches(['-', '0', '.']);
        let digits = digits.chars().filter(char::is_ascii_digit).count();
        let missing = precision.unwrap_or(6).saturating_sub(digits);
        mantissa.extend(std::iter::repeat_n('0', missing));
    }
    mantissa + exponent
}

fn character(number: i64) -> char {
    let code = u32::try_from(number).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}
