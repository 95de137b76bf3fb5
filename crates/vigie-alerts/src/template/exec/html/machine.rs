//! The transitions between places, by literal text (`html/template/transition.go`).

use super::css;
use super::place::{Attribute, Delimiter, Element, Place, State, UrlPart};

/// Follows a part of `text`; returns the place after it and its length.
pub(super) fn step(place: Place, text: &str) -> Result<(Place, usize), String> {
    if place.delimiter != Delimiter::None {
        return in_value(place, text);
    }
    let end = end_tag(place.element, text).filter(|_| place.state != State::Tag);
    match end {
        Some(0) => Ok((Place::default(), 0)),
        Some(end) => follow(place, &text[..end]),
        None => follow(place, text),
    }
}

/// The position of the end tag of an element whose content is not HTML.
fn end_tag(element: Element, text: &str) -> Option<usize> {
    let name = element.name();
    if name.is_empty() {
        return None;
    }
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let rest = &text[at + 2..];
        let found = rest.get(..name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
            && rest[name.len()..].starts_with([' ', '\t', '\n', '\u{c}', '/', '>'])
    })
}

/// Follows text in the value of an attribute.
fn in_value(place: Place, text: &str) -> Result<(Place, usize), String> {
    let ends: &[char] = match place.delimiter {
        Delimiter::Double => &['"'],
        Delimiter::Single => &['\''],
        _ => &[' ', '\t', '\n', '\u{c}', '\r', '>'],
    };
    let end = text.find(ends);
    let value = &text[..end.unwrap_or(text.len())];
    if place.delimiter == Delimiter::SpaceOrTagEnd
        && let Some(wrong) = value.chars().find(|c| "\"'<=`".contains(*c))
    {
        return Err(format!("{wrong:?} in unquoted attr: {value:?}"));
    }
    let Some(end) = end else {
        let unescaped = unescape(value);
        let mut rest = unescaped.as_str();
        let mut place = place;
        while !rest.is_empty() {
            let (after, length) = follow(place, rest)?;
            (place, rest) = (after, &rest[length.max(1).min(rest.len())..]);
        }
        return Ok((place, text.len()));
    };
    let is_script_type = place.attribute == Attribute::ScriptType;
    let element = match is_script_type && !is_script(value) {
        true => Element::Other,
        false => place.element,
    };
    let quote = usize::from(place.delimiter != Delimiter::SpaceOrTagEnd);
    let after = Place {
        state: State::Tag,
        element,
        ..Place::default()
    };
    Ok((after, end + quote))
}

/// Whether `type` of a `script` says that its content is a script.
fn is_script(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind.contains("script") || kind.ends_with("json") || kind.is_empty() || kind == "module"
}

fn follow(place: Place, text: &str) -> Result<(Place, usize), String> {
    Ok(match place.state {
        State::Text => in_text(place, text),
        State::Tag => return in_tag(place, text),
        State::AttributeName => {
            let length = attribute_name(text)?;
            let state = match length == text.len() {
                true => State::AttributeName,
                false => State::AfterName,
            };
            (Place { state, ..place }, length)
        }
        State::AfterName => {
            let spaces = spaces(text);
            match text[spaces..].chars().next() {
                None => (place, spaces),
                Some('=') => {
                    let state = State::BeforeValue;
                    (Place { state, ..place }, spaces + 1)
                }
                Some(_) => {
                    let state = State::Tag;
                    (Place { state, ..place }, spaces)
                }
            }
        }
        State::BeforeValue => {
            let spaces = spaces(text);
            let (delimiter, quote) = match text[spaces..].chars().next() {
                None => return Ok((place, spaces)),
                Some('"') => (Delimiter::Double, 1),
                Some('\'') => (Delimiter::Single, 1),
                Some(_) => (Delimiter::SpaceOrTagEnd, 0),
            };
            let state = place.attribute.start();
            let after = Place {
                state,
                delimiter,
                ..place
            };
            (after, spaces + quote)
        }
        State::Comment => match text.find("-->") {
            Some(end) => (Place::default(), end + 3),
            None => (place, text.len()),
        },
        State::Url => (in_url(place, text), text.len()),
        State::Css
        | State::CssString
        | State::CssUrl
        | State::CssComment
        | State::CssLineComment => css::follow(place, text),
        State::RawText | State::Attribute | State::Srcset | State::Script => (place, text.len()),
    })
}

fn in_text(place: Place, text: &str) -> (Place, usize) {
    let mut from = 0;
    while let Some(open) = text[from..].find('<') {
        let open = from + open;
        let rest = &text[open + 1..];
        if rest.is_empty() {
            break;
        }
        if rest.starts_with("!--") {
            let state = State::Comment;
            return (
                Place {
                    state,
                    ..Place::default()
                },
                open + 4,
            );
        }
        let closes = rest.starts_with('/');
        let name = &rest[usize::from(closes)..];
        let length = tag_name(name);
        if length > 0 {
            let element = match closes {
                true => Element::Other,
                false => Element::of(&name[..length]),
            };
            let after = Place {
                state: State::Tag,
                element,
                ..Place::default()
            };
            return (after, text.len() - name.len() + length);
        }
        from = open + 1;
    }
    (place, text.len())
}

fn in_tag(place: Place, text: &str) -> Result<(Place, usize), String> {
    let start = spaces(text);
    let rest = &text[start..];
    if rest.is_empty() {
        return Ok((place, start));
    }
    if rest.starts_with('>') {
        let after = Place {
            state: place.element.content(),
            element: place.element,
            ..Place::default()
        };
        return Ok((after, start + 1));
    }
    let length = attribute_name(rest)?;
    if length == 0 {
        return Err(format!(
            "expected space, attr name, or end of tag, but got {rest:.10?}"
        ));
    }
    let name = &rest[..length];
    let attribute = match place.element == Element::Script && name.eq_ignore_ascii_case("type") {
        true => Attribute::ScriptType,
        false => Attribute::of(name),
    };
    let state = match length == rest.len() {
        true => State::AttributeName,
        false => State::AfterName,
    };
    let after = Place {
        state,
        attribute,
        element: place.element,
        ..Place::default()
    };
    Ok((after, start + length))
}

/// The place in a URL after a part of it.
pub(super) fn in_url(mut place: Place, text: &str) -> Place {
    if text.contains(['#', '?']) {
        place.url = UrlPart::Query;
    } else if spaces(text) != text.len() && place.url == UrlPart::Start {
        place.url = UrlPart::Path;
    }
    place
}

fn spaces(text: &str) -> usize {
    let rest = text.trim_start_matches([' ', '\t', '\n', '\u{c}', '\r']);
    text.len() - rest.len()
}

/// The length of a tag's name: letters, digits, and `:` or `-` between them.
fn tag_name(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let mut end = 1;
    while let Some(byte) = bytes.get(end) {
        let joins = matches!(byte, b':' | b'-')
            && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
        match byte {
            byte if byte.is_ascii_alphanumeric() => end += 1,
            _ if joins => end += 2,
            _ => break,
        }
    }
    end
}

/// The length of an attribute's name.
fn attribute_name(text: &str) -> Result<usize, String> {
    for (at, c) in text.char_indices() {
        match c {
            ' ' | '\t' | '\n' | '\u{c}' | '\r' | '=' | '>' => return Ok(at),
            '\'' | '"' | '<' => return Err(format!("{c:?} in attribute name: {text:.32?}")),
            _ => {}
        }
    }
    Ok(text.len())
}

/// The text with the references that quotes and slashes are written with replaced.
fn unescape(text: &str) -> String {
    const REFERENCES: [(&str, &str); 8] = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#47;", "/"),
        ("&amp;", "&"),
    ];
    let mut text = text.to_owned();
    for (reference, character) in REFERENCES {
        text = text.replace(reference, character);
    }
    text
}
