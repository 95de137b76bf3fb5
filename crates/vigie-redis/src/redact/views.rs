//! Views of a text: as it is, and with its encodings decoded.

use std::ops::Range;

/// The depth to which nested encodings are decoded, such as JSON in a quoted string.
const DEPTH: usize = 2;

/// Characters, each with the range of bytes in the original text.
#[derive(Clone)]
pub(super) struct View {
    pub(super) chars: Vec<char>,
    places: Vec<Range<usize>>,
}

impl View {
    pub(super) fn of(text: &str) -> Self {
        let places = text
            .char_indices()
            .map(|(at, char)| at..at + char.len_utf8());
        Self {
            chars: text.chars().collect(),
            places: places.collect(),
        }
    }

    /// The bytes of the original text for a range of characters.
    pub(super) fn place(&self, chars: Range<usize>) -> Range<usize> {
        let chars = self.places.get(chars).unwrap_or_default();
        match (chars.first(), chars.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Decodes an encoding; `None` if there is nothing to decode.
    fn decoded(&self, decode: fn(&[char]) -> Option<(Code, usize)>) -> Option<Self> {
        let mut decoded = Decoded::default();
        let mut at = 0;
        let mut changed = false;
        while let Some(&char) = self.chars.get(at) {
            let (code, length) = match decode(&self.chars[at..]) {
                Some(found) => {
                    changed = true;
                    found
                }
                None => (Code::Char(char), 1),
            };
            decoded.push(code, self.place(at..at + length));
            at += length;
        }
        changed.then(|| decoded.finish())
    }
}

/// The text itself, and every way to decode it.
pub(super) fn views(text: &str) -> Vec<View> {
    let mut views = vec![View::of(text)];
    let mut last = 0;
    for _ in 0..DEPTH {
        let found: Vec<View> = views[last..]
            .iter()
            .flat_map(|view| {
                [percent, escape, escape_after_backslash].map(|code| view.decoded(code))
            })
            .flatten()
            .collect();
        last = views.len();
        for view in found {
            // The two readings of escapes are mostly the same.
            if views[last..].iter().all(|other| other.chars != view.chars) {
                views.push(view);
            }
        }
    }
    views
}

/// A decoded value.
#[derive(Clone, Copy)]
enum Code {
    Char(char),
    /// A byte of a UTF-8 sequence.
    Byte(u8),
}

#[derive(Default)]
struct Decoded {
    chars: Vec<char>,
    places: Vec<Range<usize>>,
    bytes: Vec<(u8, Range<usize>)>,
}

impl Decoded {
    fn push(&mut self, code: Code, place: Range<usize>) {
        match code {
            Code::Byte(byte) => self.bytes.push((byte, place)),
            Code::Char(char) => {
                self.end_bytes();
                self.chars.push(char);
                self.places.push(place);
            }
        }
    }

    /// Decodes the bytes as UTF-8, and invalid ones as Latin-1.
    fn end_bytes(&mut self) {
        let bytes: Vec<u8> = self.bytes.iter().map(|(byte, _)| *byte).collect();
        let mut at = 0;
        for chunk in bytes.utf8_chunks() {
            let valid = chunk.valid().chars().map(|char| (char, char.len_utf8()));
            let invalid = chunk.invalid().iter().map(|byte| (char::from(*byte), 1));
            for (char, length) in valid.chain(invalid) {
                let start = self.bytes[at].1.start;
                let end = self.bytes[at + length - 1].1.end;
                self.chars.push(char);
                self.places.push(start..end);
                at += length;
            }
        }
        self.bytes.clear();
    }

    fn finish(mut self) -> View {
        self.end_bytes();
        View {
            chars: self.chars,
            places: self.places,
        }
    }
}

/// `%41`.
fn percent(chars: &[char]) -> Option<(Code, usize)> {
    match chars {
        ['%', high, low, ..] => Some((Code::Byte(hex(&[*high, *low])? as u8), 3)),
        _ => None,
    }
}

/// `\"`, `\x41`, `\u0041`, `\u{41}`, `\101`, `
/// `, and a doubled quote.
fn escape(chars: &[char]) -> Option<(Code, usize)> {
    match chars {
        ['\'', '\'', ..] | ['"', '"', ..] | ['`', '`', ..] => Some((Code::Char(chars[0]), 2)),
        ['\\', 'x', high, low, ..] if hex(&[*high, *low]).is_some() => {
            Some((Code::Byte(hex(&[*high, *low])? as u8), 4))
        }
        ['\\', 'u', '{', rest @ ..] => {
            let digits = rest.iter().position(|char| *char == '}')?;
            let char = char::from_u32(hex(rest.get(..digits.min(7))?)?)?;
            Some((Code::Char(char), digits + 4))
        }
        ['\\', 'u', rest @ ..] => {
            let char = char::from_u32(hex(rest.get(..4)?)?)?;
            Some((Code::Char(char), 6))
        }
        ['\\', a @ '0'..='3', b @ '0'..='7', c @ '0'..='7', ..] => {
            let digit = |char: &char| char.to_digit(8).unwrap_or_default();
            let byte = digit(a) << 6 | digit(b) << 3 | digit(c);
            Some((Code::Byte(byte as u8), 4))
        }
        ['\\', char, ..] => {
            let char = match char {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                '0' => '\0',
                other => *other,
            };
            Some((Code::Char(char), 2))
        }
        _ => None,
    }
}

/// As [`escape`], for a text whose backslash is not encoded: in `C:\\x41` it can belong to the text before.
fn escape_after_backslash(chars: &[char]) -> Option<(Code, usize)> {
    match chars {
        ['\\', '\\', after, ..] if *after != '\\' && escape(&chars[1..])?.1 > 2 => {
            Some((Code::Char('\\'), 1))
        }
        _ => escape(chars),
    }
}

fn hex(digits: &[char]) -> Option<u32> {
    let mut digits = digits.iter().map(|char| char.to_digit(16));
    let first = digits.next()??;
    digits.try_fold(first, |number, digit| Some(number << 4 | digit?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let views = views(text).into_iter();
        views.map(|view| view.chars.into_iter().collect()).collect()
    }

    #[test]
    fn encodings_are_undone() {
        for (encoded, plain) in [
            ("a%2Fb%2fc", "a/b/c"),
            ("%C3%A9", "é"),
            ("%e9", "é"),
            (r#"a\"b\\c"#, r#"a"b\c"#),
            (r"\x61\u0062\u{63}\144\n", "abcd\n"),
            (r"\xc3\xa9", "é"),
            ("it''s", "it's"),
            (r"%5Cx41", "A"),
            (r#"\\\"x"#, r#""x"#),
            (r"\\x41", r"\A"),
            ("%2541", "A"),
        ] {
            assert!(read(encoded).contains(&plain.to_owned()), "{encoded}");
        }
        assert_eq!(read("100% a+b"), ["100% a+b"]);
        assert_eq!(
            views("a%2Fé").get(1).map(|view| view.place(1..3)),
            Some(1..6)
        );
    }
}
