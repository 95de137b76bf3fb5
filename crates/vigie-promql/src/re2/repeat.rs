//! Repetition operators.

use super::{
    cursor::Cursor,
    error::{Error, Fault, MAX_COPIES},
};

/// A repetition operator: `*`, `{2,5}` and similar.
pub(super) struct Counts {
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    /// Whether it is written with numbers.
    pub(super) counted: bool,
}

/// The repetition operator that is next, if any. A `{` that does not start one is a plain character.
pub(super) fn counts(cursor: &mut Cursor<'_>) -> Result<Option<Counts>, Error> {
    let (min, max) = match cursor.peek() {
        Some('*') => (0, None),
        Some('+') => (1, None),
        Some('?') => (0, Some(1)),
        Some('{') => return counted(cursor),
        _ => return Ok(None),
    };
    cursor.next();
    Ok(Some(Counts {
        min,
        max,
        counted: false,
    }))
}

/// `{3}`, `{3,}` or `{3,5}`.
fn counted(after: &mut Cursor<'_>) -> Result<Option<Counts>, Error> {
    let mut cursor = *after;
    let start = cursor.at;
    cursor.next();
    let Some(min) = number(&mut cursor) else {
        return Ok(None);
    };
    let max = match cursor.eat(",") {
        false => Some(min),
        true if cursor.peek() == Some('}') => None,
        true => match number(&mut cursor) {
            Some(max) => Some(max),
            None => return Ok(None),
        },
    };
    if !cursor.eat("}") {
        return Ok(None);
    }
    *after = cursor;
    let ordered = max.is_none_or(|max| min <= max && max <= MAX_COPIES);
    if min > MAX_COPIES || !ordered {
        return Err(cursor.fault(Fault::RepeatCount, start));
    }
    Ok(Some(Counts {
        min,
        max,
        counted: true,
    }))
}

/// A number without leading zeros, saturated above the limit.
fn number(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut digits = 0;
    let mut value: u32 = 0;
    let zero = cursor.peek() == Some('0');
    while let Some(digit) = cursor.peek().and_then(|c| c.to_digit(10)) {
        cursor.next();
        value = value.saturating_mul(10).saturating_add(digit);
        digits += 1;
    }
    (digits == 1 || digits > 1 && !zero).then_some(value)
}
