//! Go's `fmt`: `Sprint`, `Sprintln` and `Sprintf` over template values.

use std::fmt::Write as _;

use super::go;
use super::value::Value;

/// The widest field and the highest precision, as in `fmt`.
const WIDEST: usize = 1_000_000;

/// Formats values in their default format, with a space between two that are not strings.
pub(crate) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    let mut after_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_) | Value::Html(_));
        if !out.is_empty() && !is_text && !after_text {
            out.push(' ');
        }
        out.push_str(&plain(value));
        after_text = is_text;
    }
    out
}

/// Formats values in their default format, with spaces between all of them and a line feed at the end.
pub(crate) fn sprintln(values: &[Value]) -> String {
    let texts: Vec<_> = values.iter().map(plain).collect();
    texts.join(" ") + "\n"
}

/// The default format, that of `%v`.
pub(crate) fn plain(value: &Value) -> String {
    let mut out = String::new();
    Spec::default().value(&mut out, value, 'v');
    out
}

/// Formats `values` by `format`; mistakes are reported in the output, as in Go (`%!d(string=a)`).
pub(crate) fn sprintf(format: &str, values: &[Value]) -> String {
    let mut printer = Printer {
        out: String::new(),
        values,
        next: 0,
        is_reordered: false,
        is_index_good: true,
    };
    printer.run(format);
    printer.out
}

struct Printer<'a> {
    out: String,
    values: &'a [Value],
    next: usize,
    is_reordered: bool,
    is_index_good: bool,
}

/// Flags, width and precision of one verb.
#[derive(Clone, Debug, Default)]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%#v`: the value in Go's own syntax.
    syntax: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Printer<'_> {
    fn run(&mut self, format: &str) {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            self.out.push_str(&rest[..at]);
            rest = self.verb(&rest[at + 1..]);
        }
        self.out.push_str(rest);
        if !self.is_reordered && self.next < self.values.len() {
            self.out.push_str("%!(EXTRA ");
            let extra: Vec<_> = self.values[self.next..]
                .iter()
                .map(|value| match value {
                    Value::Nil => "<nil>".to_owned(),
                    value => format!("{}={}", value.kind(), plain(value)),
                })
                .collect();
            self.out.push_str(&extra.join(", "));
            self.out.push(')');
        }
    }

    /// Formats one verb, and returns the format behind it.
    fn verb<'f>(&mut self, format: &'f str) -> &'f str {
        let mut spec = Spec::default();
        let mut rest = format;
        loop {
            let (flag, tail) = match rest.as_bytes().first() {
                Some(b'+') => (&mut spec.plus, &rest[1..]),
                Some(b'-') => (&mut spec.minus, &rest[1..]),
                Some(b'#') => (&mut spec.sharp, &rest[1..]),
                Some(b' ') => (&mut spec.space, &rest[1..]),
                Some(b'0') => (&mut spec.zero, &rest[1..]),
                _ => break,
            };
            *flag = true;
            rest = tail;
        }
        if spec.minus {
            spec.zero = false;
        }
        self.is_index_good = true;
        let mut after_index = false;
        rest = self.index(rest, &mut after_index);
        if let Some(tail) = rest.strip_prefix('*') {
            rest = tail;
            match self.star() {
                Some(width) => {
                    spec.minus |= width < 0;
                    spec.zero &= !spec.minus;
                    spec.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            let (width, tail) = number(rest);
            if after_index && width.is_some() {
                self.is_index_good = false;
            }
            spec.width = width;
            rest = tail;
        }
        if let Some(tail) = rest.strip_prefix('.') {
            rest = tail;
            if after_index {
                self.is_index_good = false;
            }
            rest = self.index(rest, &mut after_index);
            if let Some(tail) = rest.strip_prefix('*') {
                rest = tail;
                match self.star() {
                    Some(precision) if precision >= 0 => {
                        spec.precision = usize::try_from(precision).ok();
                    }
                    Some(_) => {}
                    None => self.out.push_str("%!(BADPREC)"),
                }
                after_index = false;
            } else {
                let (precision, tail) = number(rest);
                spec.precision = Some(precision.unwrap_or(0));
                rest = tail;
            }
        }
        if !after_index {
            rest = self.index(rest, &mut after_index);
        }
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return rest;
        };
        rest = &rest[verb.len_utf8()..];
        match verb {
            '%' => self.out.push('%'),
            _ if !self.is_index_good => self.bad(verb, "BADINDEX"),
            _ if self.next >= self.values.len() => self.bad(verb, "MISSING"),
            _ => {
                if verb == 'v' {
                    spec.syntax = std::mem::take(&mut spec.sharp);
                    spec.plus = false;
                }
                let value = self.values[self.next].clone();
                self.next += 1;
                spec.value(&mut self.out, &value, verb);
            }
        }
        rest
    }

    fn bad(&mut self, verb: char, reason: &str) {
        self.out.push_str("%!");
        self.out.push(verb);
        self.out.push('(');
        self.out.push_str(reason);
        self.out.push(')');
    }

    /// An explicit argument index: `[2]`.
    fn index<'f>(&mut self, format: &'f str, found: &mut bool) -> &'f str {
        *found = false;
        let Some(inside) = format.strip_prefix('[') else {
            return format;
        };
        self.is_reordered = true;
        let Some(close) = inside.find(']') else {
            self.is_index_good = false;
            return inside;
        };
        *found = true;
        match inside[..close].parse::<usize>() {
            Ok(index) if (1..=self.values.len()).contains(&index) => self.next = index - 1,
            _ => self.is_index_good = false,
        }
        &inside[close + 1..]
    }

    /// A width or precision from the arguments.
    fn star(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(number) if number.unsigned_abs() <= WIDEST as u64 => Some(*number),
            _ => None,
        }
    }
}

/// Decimal digits at the start of a format, at most [`WIDEST`].
fn number(format: &str) -> (Option<usize>, &str) {
    let end = format
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(format.len());
    let number = format[..end]
        .parse()
        .ok()
        .filter(|number| *number <= WIDEST);
    (number, &format[end..])
}

impl Spec {
    fn value(&self, out: &mut String, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(out, "<nil>"),
            (_, 'T') => self.text(out, value.kind(), value, 's'),
            (Value::Nil, _) => {
                let _ = write!(out, "%!{verb}(<nil>)");
            }
            (Value::Bool(truth), 't' | 'v') => self.pad(out, if *truth { "true" } else { "false" }),
            (Value::Int(number), _) => self.integer(out, *number, value, verb),
            (Value::Float(number), _) => self.float(out, *number, value, verb),
            (Value::Text(text) | Value::Html(text), _) => self.text(out, text, value, verb),
            (Value::Time(_) | Value::Duration(_), 'v' | 's' | 'q' | 'x' | 'X') => {
                self.text(out, &super::time::display(value), value, verb);
            }
            (Value::Strings(map), _) => {
                let items = map
                    .iter()
                    .map(|(key, value)| (key.as_str(), Value::text(value.as_str())));
                self.map(out, value.kind(), items, verb);
            }
            (Value::Map(map), _) => {
                let items = map.iter().map(|(key, value)| (key.as_str(), value.clone()));
                self.map(out, value.kind(), items, verb);
            }
            (Value::List(list), _) => self.list(out, '[', list.iter(), ']', verb),
            (Value::Sample(sample), _) => {
                out.push('&');
                let fields = [
                    Value::Strings(sample.labels.clone()),
                    Value::Float(sample.value),
                ];
                self.list(out, '{', fields.iter(), '}', verb);
            }
            (Value::Data(data), _) => {
                let fields = data.fields.iter().map(|(_, value)| value);
                self.list(out, '{', fields, '}', verb);
            }
            _ => self.wrong_verb(out, value, verb),
        }
    }

    fn map<'v>(
        &self,
        out: &mut String,
        kind: &str,
        items: impl Iterator<Item = (&'v str, Value)>,
        verb: char,
    ) {
        let (open, separator, close) = match self.syntax {
            true => (format!("{kind}{{"), ", ", '}'),
            false => ("map[".to_owned(), " ", ']'),
        };
        out.push_str(&open);
        for (at, (key, value)) in items.enumerate() {
            if at > 0 {
                out.push_str(separator);
            }
            self.value(out, &Value::text(key), verb);
            out.push(':');
            self.value(out, &value, verb);
        }
        out.push(close);
    }

    fn list<'v>(
        &self,
        out: &mut String,
        open: char,
        items: impl Iterator<Item = &'v Value>,
        close: char,
        verb: char,
    ) {
        out.push(open);
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(' ');
            }
            self.value(out, item, verb);
        }
        out.push(close);
    }

    fn integer(&self, out: &mut String, number: i64, value: &Value, verb: char) {
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
                let text = format!("U+{number:0digits$X}");
                return self.signed(out, "", &text, false);
            }
            _ => return self.wrong_verb(out, value, verb),
        };
        // A precision of 0 prints no digit for the value 0.
        let digits = match self.precision {
            Some(0) if number == 0 => String::new(),
            Some(precision) => format!("{digits:0>precision$}"),
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

    fn float(&self, out: &mut String, number: f64, value: &Value, verb: char) {
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

    fn text(&self, out: &mut String, text: &str, value: &Value, verb: char) {
        let cut = match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        };
        match verb {
            'v' if self.syntax => self.pad(out, &go::quote(&cut)),
            'v' | 's' => self.pad(out, &cut),
            'q' if self.sharp && !cut.contains(['`', '\n', '\u{7f}']) => {
                self.pad(out, &format!("`{cut}`"))
            }
            'q' if self.plus => self.pad(out, &go::ascii(&go::quote(&cut))),
            'q' => self.pad(out, &go::quote(&cut)),
            'x' | 'X' => {
                let bytes = text.bytes().take(self.precision.unwrap_or(usize::MAX));
                let upper = verb == 'X';
                let hex = bytes.map(|byte| {
                    if upper {
                        format!("{byte:02X}")
                    } else {
                        format!("{byte:02x}")
                    }
                });
                let separator = if self.space { " " } else { "" };
                let prefix = match (self.sharp, upper) {
                    (true, true) => "0X",
                    (true, false) => "0x",
                    _ => "",
                };
                let hex: Vec<_> = match self.space {
                    true => hex.map(|byte| format!("{prefix}{byte}")).collect(),
                    false => hex.collect(),
                };
                let text = hex.join(separator);
                match self.space || text.is_empty() {
                    true => self.pad(out, &text),
                    false => self.pad(out, &format!("{prefix}{text}")),
                }
            }
            _ => self.wrong_verb(out, value, verb),
        }
    }

    /// The value stands behind its type, in the default format with the same flags.
    fn wrong_verb(&self, out: &mut String, value: &Value, verb: char) {
        let _ = write!(out, "%!{verb}({}=", value.kind());
        self.value(out, value, 'v');
        out.push(')');
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
    fn signed(&self, out: &mut String, sign: &str, digits: &str, zero: bool) {
        let length = sign.chars().count() + digits.chars().count();
        match self.width {
            Some(width) if zero && width > length => {
                out.push_str(sign);
                out.extend(std::iter::repeat_n('0', width - length));
                out.push_str(digits);
            }
            _ => Self {
                zero: false,
                ..self.clone()
            }
            .pad(out, &format!("{sign}{digits}")),
        }
    }

    /// Writes a text of at least the width, in characters.
    fn pad(&self, out: &mut String, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let filler = if self.zero { '0' } else { ' ' };
        if self.minus {
            out.push_str(text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else {
            out.extend(std::iter::repeat_n(filler, missing));
            out.push_str(text);
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
