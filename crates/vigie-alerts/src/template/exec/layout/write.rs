//! Writes a time in a layout.

use jiff::Zoned;
use jiff::tz::Offset;

use super::element::{Element, ZoneForm, next};
use super::{DAYS, MONTHS};

/// A time in a layout.
pub(in crate::template::exec) fn format(time: &Zoned, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some((before, own, element, after)) = next(rest) {
        out.push_str(before);
        out.push_str(&written(time, own, element));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn written(time: &Zoned, own: &str, element: Element) -> String {
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let is_late = time.hour() >= 12;
    let half = |late: &str, early: &str| (if is_late { late } else { early }).to_owned();
    match element {
        Element::LongMonth => month(time).to_owned(),
        Element::Month => month(time)[..3].to_owned(),
        Element::NumberMonth => time.month().to_string(),
        Element::ZeroMonth => format!("{:02}", time.month()),
        Element::LongWeekday => weekday(time).to_owned(),
        Element::Weekday => weekday(time)[..3].to_owned(),
        Element::Day => time.day().to_string(),
        Element::SpaceDay => format!("{:2}", time.day()),
        Element::ZeroDay => format!("{:02}", time.day()),
        Element::SpaceYearDay => format!("{:3}", time.day_of_year()),
        Element::ZeroYearDay => format!("{:03}", time.day_of_year()),
        Element::Hour24 => format!("{:02}", time.hour()),
        Element::Hour12 => hour12.to_string(),
        Element::ZeroHour12 => format!("{hour12:02}"),
        Element::Minute => time.minute().to_string(),
        Element::ZeroMinute => format!("{:02}", time.minute()),
        Element::Second => time.second().to_string(),
        Element::ZeroSecond => format!("{:02}", time.second()),
        Element::LongYear => format!("{:04}", time.year()),
        Element::Year => format!("{:02}", time.year().rem_euclid(100)),
        Element::UpperHalf => half("PM", "AM"),
        Element::LowerHalf => half("pm", "am"),
        Element::ZoneName => abbreviation(time),
        Element::Zone(form) => offset(time.offset(), form),
        Element::Fraction {
            digits,
            drops_zeros,
        } => {
            let nanos = format!("{:09}", time.subsec_nanosecond());
            let zeros = "0".repeat(digits.saturating_sub(nanos.len()));
            let mut shown = nanos[..digits.min(nanos.len())].to_owned() + &zeros;
            if drops_zeros {
                shown.truncate(shown.trim_end_matches('0').len());
            }
            match shown.is_empty() {
                true => shown,
                false => format!("{}{shown}", &own[..1]),
            }
        }
    }
}

/// The English name of the month.
pub(in crate::template::exec) fn month(time: &Zoned) -> &'static str {
    MONTHS[usize::try_from(time.month() - 1).unwrap_or_default() % 12]
}

/// The English name of the day of the week.
pub(in crate::template::exec) fn weekday(time: &Zoned) -> &'static str {
    DAYS[usize::try_from(time.weekday().to_sunday_zero_offset()).unwrap_or_default() % 7]
}

/// The abbreviation of the zone, as in `CET`.
fn abbreviation(time: &Zoned) -> String {
    let zone = time.time_zone();
    let abbreviation = zone
        .to_offset_info(time.timestamp())
        .abbreviation()
        .to_owned();
    match zone.to_fixed_offset() {
        // Of a fixed offset, Go writes the hours, and the minutes if there are any.
        Ok(fixed) if fixed != Offset::UTC => {
            let minutes = fixed.seconds() % 3600 != 0;
            offset(
                fixed,
                ZoneForm {
                    z: false,
                    minutes,
                    seconds: false,
                    colon: false,
                },
            )
        }
        _ => abbreviation,
    }
}

fn offset(offset: Offset, form: ZoneForm) -> String {
    let seconds = offset.seconds();
    if form.z && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let size = seconds.abs();
    let mut text = format!("{sign}{:02}", size / 3600);
    let colon = if form.colon { ":" } else { "" };
    if form.minutes {
        text.push_str(&format!("{colon}{:02}", size / 60 % 60));
    }
    if form.seconds {
        text.push_str(&format!("{colon}{:02}", size % 60));
    }
    text
}
