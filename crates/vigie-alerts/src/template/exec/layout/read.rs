//! Reads a time in a layout.

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::super::quote;
use super::element::{Element, ZoneForm, next};
use super::{DAYS, MONTHS};

/// The parts of a time that were read.
struct Read {
    year: i16,
    month: i8,
    day: i8,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    is_late: Option<bool>,
    offset: Option<Offset>,
    is_utc: bool,
}

/// Reads a time; without a zone it is in UTC.
pub(in crate::template::exec) fn parse(layout: &str, value: &str) -> Result<Zoned, String> {
    let fault = |part: &str, rest: &str| {
        let (value, layout) = (quote(value), quote(layout));
        let (rest, part) = (quote(rest), quote(part));
        format!("parsing time {value} as {layout}: cannot parse {rest} as {part}")
    };
    let mut read = Read {
        year: 0,
        month: 1,
        day: 1,
        year_day: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        is_late: None,
        offset: None,
        is_utc: false,
    };
    let mut format = layout;
    let mut rest = value;
    loop {
        let (before, found) = match next(format) {
            Some((before, own, element, after)) => (before, Some((own, element, after))),
            None => (format, None),
        };
        rest = literal(before, rest).ok_or_else(|| fault(before, rest))?;
        let Some((own, element, after)) = found else {
            break;
        };
        let next_is_fraction = matches!(next(after), Some(("", _, Element::Fraction { .. }, _)));
        rest = read
            .element(element, rest, next_is_fraction)
            .ok_or_else(|| fault(own, rest))?;
        format = after;
    }
    if !rest.is_empty() {
        let (value, rest) = (quote(value), quote(rest));
        return Err(format!("parsing time {value}: extra text: {rest}"));
    }
    read.end().ok_or_else(|| {
        let value = quote(value);
        format!("parsing time {value}: day out of range")
    })
}

/// The value behind a literal part of the layout; a space stands for any number of spaces.
fn literal<'v>(mut part: &str, mut value: &'v str) -> Option<&'v str> {
    while let Some(c) = part.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return None;
            }
            part = part.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c)?;
        part = &part[c.len_utf8()..];
    }
    Some(value)
}

impl Read {
    /// Reads one element, and returns the rest.
    fn element<'v>(&mut self, element: Element, value: &'v str, fraction: bool) -> Option<&'v str> {
        let rest;
        match element {
            Element::LongMonth => {
                (self.month, rest) = named(value, &MONTHS, None)?;
                self.month += 1;
            }
            Element::Month => {
                (self.month, rest) = named(value, &MONTHS, Some(3))?;
                self.month += 1;
            }
            Element::NumberMonth => (self.month, rest) = ranged(value, (1, 2), 1..=12)?,
            Element::ZeroMonth => (self.month, rest) = ranged(value, (2, 2), 1..=12)?,
            Element::LongWeekday => (_, rest) = named(value, &DAYS, None)?,
            Element::Weekday => (_, rest) = named(value, &DAYS, Some(3))?,
            Element::Day => (self.day, rest) = ranged(value, (1, 2), 0..=99)?,
            Element::SpaceDay => {
                let value = value.strip_prefix(' ').unwrap_or(value);
                (self.day, rest) = ranged(value, (1, 2), 0..=99)?;
            }
            Element::ZeroDay => (self.day, rest) = ranged(value, (2, 2), 0..=99)?,
            Element::SpaceYearDay | Element::ZeroYearDay => {
                let value = match element {
                    Element::SpaceYearDay => value.trim_start_matches(' '),
                    _ => value,
                };
                let (number, after) = digits(value, 1, 3)?;
                self.year_day = Some(i16::try_from(number).ok()?);
                rest = after;
            }
            Element::Hour24 => (self.hour, rest) = ranged(value, (1, 2), 0..=23)?,
            Element::Hour12 => (self.hour, rest) = ranged(value, (1, 2), 0..=12)?,
            Element::ZeroHour12 => (self.hour, rest) = ranged(value, (2, 2), 0..=12)?,
            Element::Minute => (self.minute, rest) = ranged(value, (1, 2), 0..=59)?,
            Element::ZeroMinute => (self.minute, rest) = ranged(value, (2, 2), 0..=59)?,
            Element::Second | Element::ZeroSecond => {
                let least = if element == Element::Second { 1 } else { 2 };
                let (second, after) = ranged(value, (least, 2), 0..=59)?;
                self.second = second;
                // A fraction may follow where the layout has none.
                rest = match fraction {
                    true => after,
                    false => self.fraction(after).unwrap_or(after),
                };
            }
            Element::LongYear => {
                let (year, after) = digits(value, 4, 4)?;
                self.year = i16::try_from(year).ok()?;
                rest = after;
            }
            Element::Year => {
                let (year, after) = digits(value, 2, 2)?;
                let century = if year >= 69 { 1900 } else { 2000 };
                self.year = i16::try_from(century + year).ok()?;
                rest = after;
            }
            Element::UpperHalf | Element::LowerHalf => {
                let names = match element {
                    Element::UpperHalf => ["AM", "PM"],
                    _ => ["am", "pm"],
                };
                let late = names.iter().position(|name| value.starts_with(name))?;
                self.is_late = Some(late == 1);
                rest = &value[2..];
            }
            Element::ZoneName => {
                let length = value.bytes().take_while(u8::is_ascii_uppercase).count();
                if !(3..=5).contains(&length) {
                    return None;
                }
                self.is_utc = &value[..length] == "UTC";
                rest = &value[length..];
            }
            Element::Zone(form) => return self.zone(form, value),
            Element::Fraction { digits: 0, .. } => rest = value,
            Element::Fraction {
                drops_zeros: true, ..
            } => rest = self.fraction(value).unwrap_or(value),
            Element::Fraction { digits: count, .. } => {
                let after = self.fraction(value)?;
                let read = value.len() - after.len();
                if read != count + 1 {
                    return None;
                }
                rest = after;
            }
        }
        Some(rest)
    }

    /// `.123`
    fn fraction<'v>(&mut self, value: &'v str) -> Option<&'v str> {
        let inside = value.strip_prefix(['.', ','])?;
        let length = inside.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        let nanos: String = inside[..length]
            .chars()
            .chain("000000000".chars())
            .take(9)
            .collect();
        self.nanos = nanos.parse().ok()?;
        Some(&inside[length..])
    }

    fn zone<'v>(&mut self, form: ZoneForm, value: &'v str) -> Option<&'v str> {
        if form.z
            && let Some(rest) = value.strip_prefix('Z')
        {
            self.is_utc = true;
            return Some(rest);
        }
        let sign = match value.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let (hours, mut rest) = digits(&value[1..], 2, 2)?;
        let mut seconds = hours * 3600;
        for (asked, unit) in [(form.minutes, 60), (form.seconds, 1)] {
            if asked {
                if form.colon {
                    rest = rest.strip_prefix(':')?;
                }
                let (number, after) = digits(rest, 2, 2)?;
                seconds += number * unit;
                rest = after;
            }
        }
        self.offset = Some(Offset::from_seconds(sign * seconds).ok()?);
        Some(rest)
    }

    /// The time that was read, if there is such a day.
    fn end(self) -> Option<Zoned> {
        let hour = match (self.is_late, self.hour) {
            (Some(true), hour) if hour < 12 => hour + 12,
            (Some(false), 12) => 0,
            (_, hour) => hour,
        };
        let date = match self.year_day {
            Some(day) if day > 0 => Date::new(self.year, 1, 1)
                .ok()?
                .checked_add(jiff::Span::new().try_days(day - 1).ok()?)
                .ok()
                .filter(|date| date.year() == self.year)?,
            Some(_) => return None,
            None => Date::new(self.year, self.month, self.day).ok()?,
        };
        let time = Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let time = DateTime::from_parts(date, time);
        let zone = match self.offset {
            Some(offset) if offset != Offset::UTC && !self.is_utc => TimeZone::fixed(offset),
            _ => TimeZone::UTC,
        };
        time.to_zoned(zone).ok()
    }
}

/// A number of `least` to `most` digits, and the rest.
fn digits(value: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let bytes = value.bytes().take(most);
    let length = bytes.take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    Some((value[..length].parse().ok()?, &value[length..]))
}

/// A number in a range, and the rest.
fn ranged(
    value: &str,
    lengths: (usize, usize),
    range: std::ops::RangeInclusive<i32>,
) -> Option<(i8, &str)> {
    let (number, rest) = digits(value, lengths.0, lengths.1)?;
    let number = Some(number).filter(|number| range.contains(number))?;
    Some((i8::try_from(number).ok()?, rest))
}

/// The index of the name that begins a value, in any case, and the rest.
fn named<'v>(value: &'v str, names: &[&str], length: Option<usize>) -> Option<(i8, &'v str)> {
    names.iter().enumerate().find_map(|(at, name)| {
        let name = &name[..length.unwrap_or(name.len())];
        let head = value.get(..name.len())?;
        let found = head.eq_ignore_ascii_case(name);
        found.then(|| (i8::try_from(at).unwrap_or_default(), &value[name.len()..]))
    })
}
