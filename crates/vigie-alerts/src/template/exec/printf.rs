//! Go's `fmt`: `Sprint`, `Sprintln` and `Sprintf` over template values. Each returns at most `most` bytes, or an error.

use super::format::Spec;
use super::out::{Out, TooLong};
use super::value::Value;

/// The widest field and the highest precision, as in `fmt`.
const WIDEST: usize = 1_000_000;

/// Formats values in their default format, with a space between two that are not strings.
pub(crate) fn sprint(values: &[Value], most: usize) -> Result<String, TooLong> {
    let mut out = Out::new(most);
    let mut after_text = true;
    for value in values {
        let is_text = value.as_text().is_some();
        if !out.is_empty() && !is_text && !after_text {
            out.push(' ');
        }
        Spec::default().value(&mut out, value, 'v');
        after_text = is_text;
    }
    out.end()
}

/// Formats values in their default format, with spaces between all of them and a line feed at the end.
pub(crate) fn sprintln(values: &[Value], most: usize) -> Result<String, TooLong> {
    let mut out = Out::new(most);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        Spec::default().value(&mut out, value, 'v');
    }
    out.push('\n');
    out.end()
}

/// The default format, that of `%v`.
pub(crate) fn plain(value: &Value, most: usize) -> Result<String, TooLong> {
    sprint(std::slice::from_ref(value), most)
}

/// Formats `values` by `format`; mistakes are reported in the output, as in Go (`%!d(string=a)`).
pub(crate) fn sprintf(format: &str, values: &[Value], most: usize) -> Result<String, TooLong> {
    let mut printer = Printer {
        out: Out::new(most),
        values,
        next: 0,
        is_reordered: false,
        is_index_good: true,
    };
    printer.run(format);
    printer.out.end()
}

struct Printer<'a> {
    out: Out,
    values: &'a [Value],
    next: usize,
    is_reordered: bool,
    is_index_good: bool,
}

impl Printer<'_> {
    fn run(&mut self, format: &str) {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            if self.out.is_full() {
                return;
            }
            self.out.push_str(&rest[..at]);
            rest = self.verb(&rest[at + 1..]);
        }
        self.out.push_str(rest);
        if !self.is_reordered && self.next < self.values.len() {
            self.out.push_str("%!(EXTRA ");
            for (at, value) in self.values[self.next..].iter().enumerate() {
                if at > 0 {
                    self.out.push_str(", ");
                }
                if *value != Value::Nil {
                    self.out.push_str(value.kind());
                    self.out.push('=');
                }
                Spec::default().value(&mut self.out, value, 'v');
            }
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
