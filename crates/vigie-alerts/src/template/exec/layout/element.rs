//! The elements of a layout.

/// An element of a layout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour24,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    Zone(ZoneForm),
    /// A separator and digits; whether trailing zeros are dropped.
    Fraction {
        digits: usize,
        drops_zeros: bool,
    },
}

/// The form of a numeric zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ZoneForm {
    /// UTC is written as `Z`.
    pub(super) z: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
    pub(super) colon: bool,
}

const fn zone(z: bool, minutes: bool, seconds: bool, colon: bool) -> Element {
    Element::Zone(ZoneForm {
        z,
        minutes,
        seconds,
        colon,
    })
}

/// The texts of the elements; of several that match, the first one counts.
const ELEMENTS: [(&str, Element); 34] = [
    ("January", Element::LongMonth),
    ("Jan", Element::Month),
    ("Monday", Element::LongWeekday),
    ("Mon", Element::Weekday),
    ("MST", Element::ZoneName),
    ("002", Element::ZeroYearDay),
    ("01", Element::ZeroMonth),
    ("02", Element::ZeroDay),
    ("03", Element::ZeroHour12),
    ("04", Element::ZeroMinute),
    ("05", Element::ZeroSecond),
    ("06", Element::Year),
    ("15", Element::Hour24),
    ("1", Element::NumberMonth),
    ("2006", Element::LongYear),
    ("2", Element::Day),
    ("__2", Element::SpaceYearDay),
    ("_2", Element::SpaceDay),
    ("3", Element::Hour12),
    ("4", Element::Minute),
    ("5", Element::Second),
    ("PM", Element::UpperHalf),
    ("pm", Element::LowerHalf),
    ("-070000", zone(false, true, true, false)),
    ("-07:00:00", zone(false, true, true, true)),
    ("-0700", zone(false, true, false, false)),
    ("-07:00", zone(false, true, false, true)),
    ("-07", zone(false, false, false, false)),
    ("Z070000", zone(true, true, true, false)),
    ("Z07:00:00", zone(true, true, true, true)),
    ("Z0700", zone(true, true, false, false)),
    ("Z07:00", zone(true, true, false, true)),
    ("Z07", zone(true, false, false, false)),
    // Not a day: the year follows the underscore.
    ("_2006", Element::LongYear),
];

/// The first element of a layout: the text before it, its own, and the text behind it.
pub(super) fn next(layout: &str) -> Option<(&str, &str, Element, &str)> {
    layout.char_indices().find_map(|(at, _)| {
        let rest = &layout[at..];
        let (own, element) = element(rest)?;
        // `_2006` is an underscore and a year.
        let skipped = usize::from(own == "_2006");
        let end = at + own.len();
        Some((
            &layout[..at + skipped],
            &layout[at + skipped..end],
            element,
            &layout[end..],
        ))
    })
}

fn element(rest: &str) -> Option<(&str, Element)> {
    if rest.starts_with(['.', ',']) {
        return fraction(rest);
    }
    // `Jan` and `Mon` within a longer word are not elements, nor is `_2` before `006`.
    let is_word = |tail: &str| tail.starts_with(|c: char| c.is_ascii_lowercase());
    let mut found = ELEMENTS.iter().filter(|(text, _)| rest.starts_with(text));
    let longest = found.clone().find(|(text, _)| *text == "_2006");
    let (text, element) = longest.or_else(|| {
        found.find(|(text, element)| {
            let is_name = matches!(element, Element::Month | Element::Weekday);
            !(is_name && is_word(&rest[text.len()..]))
        })
    })?;
    Some((&rest[..text.len()], *element))
}

/// `.000`, `.999` and the same with a comma, not before another digit.
fn fraction(rest: &str) -> Option<(&str, Element)> {
    let digit = rest[1..]
        .chars()
        .next()
        .filter(|c| matches!(c, '0' | '9'))?;
    let digits = rest[1..].chars().take_while(|c| *c == digit).count();
    let is_number = rest[1 + digits..].starts_with(|c: char| c.is_ascii_digit());
    let element = Element::Fraction {
        digits,
        drops_zeros: digit == '9',
    };
    (!is_number).then_some((&rest[..=digits], element))
}
