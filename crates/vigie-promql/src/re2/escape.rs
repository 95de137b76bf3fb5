//! Escapes and bracketed character classes.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::{
    class::{count, folded, perl, posix, range},
    cursor::Cursor,
    error::{Error, Fault},
    unicode,
};

/// Parser state shared by all classes of an expression.
pub(super) struct Classes {
    /// The remaining budget of ranges; case folding is charged by the characters looked up.
    left: usize,
    /// Whether any class is unknown to Prometheus 2.42.
    pub(super) newer: bool,
}

impl Default for Classes {
    fn default() -> Self {
        Self {
            left: 1 << 18,
            newer: false,
        }
    }
}

impl Classes {
    /// The approximate maximum number of characters that case folding looks up for one class.
    const WITH_CASES: usize = 3000;

    fn take(&mut self, count: usize) -> Result<(), Error> {
        self.left = self
            .left
            .checked_sub(count)
            .ok_or(Fault::TooLarge.of_all())?;
        Ok(())
    }

    fn fold(&mut self, class: ClassUnicode) -> Result<ClassUnicode, Error> {
        self.take(count(&class).min(Self::WITH_CASES))?;
        Ok(folded(class))
    }
}

/// An escaped character, from the backslash on: `
/// `, `\x7F`, `\x{10FFFF}`, `\101` or `\.`. May be a surrogate.
pub(super) fn character(cursor: &mut Cursor<'_>) -> Result<u32, Error> {
    let start = cursor.at;
    cursor.next();
    let Some(c) = cursor.next() else {
        return Err(cursor.fault(Fault::LoneBackslash, start));
    };
    let found = match c {
        'a' => Some(0x07),
        'f' => Some(0x0c),
        'n' => Some(0x0a),
        'r' => Some(0x0d),
        't' => Some(0x09),
        'v' => Some(0x0b),
        'x' => hexadecimal(cursor),
        '0'..='7' => octal(c, cursor),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
        _ => None,
    };
    found.ok_or_else(|| cursor.fault(Fault::Escape, start))
}

/// `7F` or `{10FFFF}`.
fn hexadecimal(cursor: &mut Cursor<'_>) -> Option<u32> {
    if !cursor.eat("{") {
        let high = cursor.next()?.to_digit(16)?;
        let low = cursor.next()?.to_digit(16)?;
        return Some(high * 16 + low);
    }
    let mut value = cursor.next()?.to_digit(16)?;
    loop {
        match cursor.next()? {
            '}' => return Some(value),
            c => value = value * 16 + c.to_digit(16)?,
        }
        if value > u32::from(char::MAX) {
            return None;
        }
    }
}

/// Up to three digits. A single digit is accepted only if it is `0`: `\1` is a back reference in other dialects.
fn octal(first: char, cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut value = first.to_digit(8)?;
    let mut digits = 1;
    while let Some(digit) = cursor.peek().and_then(|c| c.to_digit(8))
        && digits < 3
    {
        cursor.next();
        value = value * 8 + digit;
        digits += 1;
    }
    (digits > 1 || first == '0').then_some(value)
}

/// `\d`, `\pL`, `\p{Greek}` and similar, if one is next.
pub(super) fn named(
    cursor: &mut Cursor<'_>,
    fold: bool,
    classes: &mut Classes,
) -> Result<Option<ClassUnicode>, Error> {
    let mut after = cursor.rest().chars();
    let (Some('\\'), Some(letter)) = (after.next(), after.next()) else {
        return Ok(None);
    };
    let start = cursor.at;
    let found = match letter {
        'p' | 'P' => {
            cursor.eat(r"\");
            cursor.next();
            Some(property(cursor, start, letter == 'P', classes)?)
        }
        _ => perl(letter).inspect(|_| cursor.at += 2),
    };
    let Some((class, negated)) = found else {
        return Ok(None);
    };
    signed(class, negated, fold, classes).map(Some)
}

/// `L` or `{Greek}`, and whether it is negated.
fn property(
    cursor: &mut Cursor<'_>,
    start: usize,
    mut negated: bool,
    classes: &mut Classes,
) -> Result<(ClassUnicode, bool), Error> {
    let mut letter = [0; 4];
    let name = match cursor.eat("{") {
        true => cursor
            .eat_until("}")
            .ok_or_else(|| cursor.fault_of_rest(Fault::UnknownClass, start))?,
        false => cursor.next().map_or("", |c| c.encode_utf8(&mut letter)),
    };
    let name = match name.strip_prefix('^') {
        Some(name) => {
            negated = !negated;
            name
        }
        None => name,
    };
    classes.newer |= unicode::is_newer(name);
    let class = unicode::class(name);
    let class = class.ok_or_else(|| cursor.fault(Fault::UnknownClass, start))?;
    Ok((class, negated))
}

/// Negates after folding, so that the other cases are excluded too.
fn signed(
    mut class: ClassUnicode,
    negated: bool,
    fold: bool,
    classes: &mut Classes,
) -> Result<ClassUnicode, Error> {
    if fold {
        class = classes.fold(class)?;
    }
    if negated {
        class.negate();
    }
    classes.take(class.ranges().len())?;
    Ok(class)
}

/// A bracketed class, from the opening bracket on.
pub(super) fn brackets(
    cursor: &mut Cursor<'_>,
    fold: bool,
    classes: &mut Classes,
) -> Result<ClassUnicode, Error> {
    let start = cursor.at;
    cursor.next();
    let negated = cursor.eat("^");
    let mut found: Vec<ClassUnicodeRange> = Vec::new();
    let mut first = true;
    while first || !cursor.eat("]") {
        first = false;
        let class = match posix_class(cursor, fold, classes)? {
            Some(class) => class,
            None => match named(cursor, fold, classes)? {
                Some(class) => class,
                None => one_or_range(cursor, start, fold, classes)?,
            },
        };
        found.extend_from_slice(class.ranges());
    }
    let mut class = ClassUnicode::new(found);
    if negated {
        class.negate();
    }
    Ok(class)
}

/// `[:alpha:]` or `[:^alpha:]`, if one is next.
fn posix_class(
    cursor: &mut Cursor<'_>,
    fold: bool,
    classes: &mut Classes,
) -> Result<Option<ClassUnicode>, Error> {
    let start = cursor.at;
    if !cursor.eat("[:") {
        return Ok(None);
    }
    let Some(name) = cursor.eat_until(":]") else {
        cursor.at = start;
        return Ok(None);
    };
    let class = posix(name.strip_prefix('^').unwrap_or(name));
    let class = class.ok_or_else(|| cursor.fault(Fault::UnknownClass, start))?;
    signed(class, name.starts_with('^'), fold, classes).map(Some)
}

/// `a` or `a-z`.
fn one_or_range(
    cursor: &mut Cursor<'_>,
    open: usize,
    fold: bool,
    classes: &mut Classes,
) -> Result<ClassUnicode, Error> {
    let start = cursor.at;
    let low = member(cursor, open)?;
    let mut high = low;
    let mut after = cursor.rest().chars();
    if after.next() == Some('-') && after.next().is_some_and(|c| c != ']') {
        cursor.next();
        high = member(cursor, open)?;
    }
    if high < low {
        return Err(cursor.fault(Fault::RangeOrder, start));
    }
    signed(ClassUnicode::new(range(low, high)), false, fold, classes)
}

fn member(cursor: &mut Cursor<'_>, open: usize) -> Result<u32, Error> {
    match cursor.peek() {
        Some('\\') => character(cursor),
        Some(c) => {
            cursor.next();
            Ok(u32::from(c))
        }
        None => Err(cursor.fault(Fault::UnclosedClass, open)),
    }
}
