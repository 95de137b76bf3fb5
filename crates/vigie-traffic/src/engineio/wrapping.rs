//! What JSONP clients wrap around their payloads, taken off as it passes: `___eio[0]("…");` around the server's,
//! a form with the field `d` around the client's.

use crate::hex::hex;

/// How a body carries its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    None,
    /// A response to a JSONP poll.
    Script,
    /// The POST of a JSONP client.
    Form,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The payload is complete.
    Complete,
    /// There was no payload in it.
    Absent,
    /// It was not what it should have been, or was cut short.
    Broken,
}

/// Takes the wrapping off.
#[derive(Debug)]
pub(super) enum Unwrap {
    None,
    Script(Script),
    Form(Form),
}

impl Unwrap {
    pub(super) fn new(wrapping: Wrapping) -> Self {
        match wrapping {
            Wrapping::None => Self::None,
            Wrapping::Script => Self::Script(Script::Head { at: 0 }),
            Wrapping::Form => Self::Form(Form {
                field: Field::Name { is_d: true, at: 0 },
                escape: Escape::None,
                slashes: 0,
                found: false,
            }),
        }
    }

    /// Whether there is no wrapping.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Gives `emit` the bytes of the payload.
    pub(super) fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(&[u8])) {
        match self {
            Self::None => emit(bytes),
            Self::Script(script) => bytes.iter().for_each(|&byte| script.step(byte, &mut emit)),
            Self::Form(form) => bytes.iter().for_each(|&byte| form.step(byte, &mut emit)),
        }
    }

    pub(super) fn finish(&mut self, mut emit: impl FnMut(&[u8])) -> End {
        match self {
            Self::None | Self::Script(Script::Tail) => End::Complete,
            Self::Script(_) => End::Broken,
            Self::Form(form) => {
                form.flush(&mut emit);
                if form.found {
                    End::Complete
                } else {
                    End::Absent
                }
            }
        }
    }
}

/// Where in `___eio[0]("…");` the next byte is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Script {
    /// In `___eio[`, with so many bytes of it seen.
    Head {
        at: usize,
    },
    /// In the digits and what follows them up to the string, likewise.
    Index {
        at: usize,
    },
    Text,
    /// After a backslash.
    Escape,
    /// In the digits of `\u001e`.
    Unicode {
        value: u16,
        digits: u8,
    },
    Tail,
    Broken,
}

impl Script {
    fn step(&mut self, byte: u8, emit: &mut impl FnMut(&[u8])) {
        const HEAD: &[u8] = b"___eio[";
        const OPEN: &[u8] = b"](\"";
        *self = match *self {
            Self::Head { at } if HEAD.get(at) == Some(&byte) => match at + 1 {
                at if at == HEAD.len() => Self::Index { at: 0 },
                at => Self::Head { at },
            },
            Self::Index { at: 0 } if byte.is_ascii_digit() => Self::Index { at: 0 },
            Self::Index { at } if OPEN.get(at) == Some(&byte) => match at + 1 {
                at if at == OPEN.len() => Self::Text,
                at => Self::Index { at },
            },
            Self::Text => match byte {
                b'"' => Self::Tail,
                b'\\' => Self::Escape,
                byte => {
                    emit(&[byte]);
                    Self::Text
                }
            },
            Self::Escape if byte == b'u' => Self::Unicode {
                value: 0,
                digits: 0,
            },
            Self::Escape => {
                // Which control character it is does not matter: none is of the framing.
                emit(&[if byte.is_ascii_alphabetic() {
                    b'\n'
                } else {
                    byte
                }]);
                Self::Text
            }
            Self::Unicode { value, digits } => match hex(byte) {
                None => Self::Broken,
                Some(digit) => {
                    let value = value << 4 | u16::from(digit);
                    if digits == 3 {
                        emit_unit(value, emit);
                        Self::Text
                    } else {
                        let digits = digits + 1;
                        Self::Unicode { value, digits }
                    }
                }
            },
            Self::Tail => Self::Tail,
            Self::Head { .. } | Self::Index { .. } | Self::Broken => Self::Broken,
        };
    }
}

/// Emits a UTF-16 unit as bytes that count as one unit again; half of a pair becomes U+FFFD.
fn emit_unit(unit: u16, emit: &mut impl FnMut(&[u8])) {
    let char = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
    emit(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// `d=…`, percent-encoded, with newlines as `\n` and what was `\n` as `\\n`.
#[derive(Debug)]
pub(super) struct Form {
    field: Field,
    escape: Escape,
    /// Backslashes held back until it is known whether an `n` follows; never more than two.
    slashes: u8,
    found: bool,
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Name { is_d: bool, at: u8 },
    Value,
    Other,
}

#[derive(Clone, Copy, Debug)]
enum Escape {
    None,
    Percent,
    High(u8),
}

impl Form {
    fn step(&mut self, byte: u8, emit: &mut impl FnMut(&[u8])) {
        self.field = match (self.field, byte) {
            (Field::Name { is_d, at }, b'=') if is_d && at == 1 && !self.found => {
                self.found = true;
                Field::Value
            }
            (Field::Value, b'&') => {
                self.flush(emit);
                Field::Name { is_d: true, at: 0 }
            }
            (_, b'&') => Field::Name { is_d: true, at: 0 },
            (Field::Name { is_d, at }, byte) if byte != b'=' => Field::Name {
                is_d: is_d && byte == b'd',
                at: at.saturating_add(1),
            },
            (Field::Value, byte) => {
                self.value(byte, emit);
                Field::Value
            }
            (Field::Name { .. } | Field::Other, _) => Field::Other,
        };
    }

    fn value(&mut self, byte: u8, emit: &mut impl FnMut(&[u8])) {
        match (self.escape, byte) {
            (Escape::None, b'%') => self.escape = Escape::Percent,
            (Escape::None, b'+') => self.unslash(b' ', emit),
            (Escape::None, byte) => self.unslash(byte, emit),
            (Escape::Percent, byte) => match hex(byte) {
                Some(_) => self.escape = Escape::High(byte),
                None => self.not_escaped(None, byte, emit),
            },
            (Escape::High(high), byte) => match hex(high).zip(hex(byte)) {
                Some((first, second)) => {
                    self.escape = Escape::None;
                    self.unslash(first << 4 | second, emit);
                }
                None => self.not_escaped(Some(high), byte, emit),
            },
        }
    }

    /// A `%` that began no escape stands for itself.
    fn not_escaped(&mut self, high: Option<u8>, byte: u8, emit: &mut impl FnMut(&[u8])) {
        self.escape = Escape::None;
        self.unslash(b'%', emit);
        if let Some(high) = high {
            self.unslash(high, emit);
        }
        self.value(byte, emit);
    }

    fn unslash(&mut self, byte: u8, emit: &mut impl FnMut(&[u8])) {
        match (byte, self.slashes) {
            (b'\\', 2) => emit(b"\\"),
            (b'\\', _) => self.slashes += 1,
            (b'n', 1) => {
                self.slashes = 0;
                emit(b"\n");
            }
            (b'n', 2) => {
                self.slashes = 0;
                emit(b"\\n");
            }
            (byte, held) => {
                self.slashes = 0;
                emit(&b"\\\\"[..usize::from(held.min(2))]);
                emit(&[byte]);
            }
        }
    }

    /// What was held back stands for itself.
    fn flush(&mut self, emit: &mut impl FnMut(&[u8])) {
        match std::mem::replace(&mut self.escape, Escape::None) {
            Escape::None => {}
            Escape::Percent => self.unslash(b'%', emit),
            Escape::High(high) => {
                self.unslash(b'%', emit);
                self.unslash(high, emit);
            }
        }
        let held = std::mem::take(&mut self.slashes);
        emit(&b"\\\\"[..usize::from(held.min(2))]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unwrap(wrapping: Wrapping, body: &[u8], split: usize) -> (Vec<u8>, End) {
        let mut unwrap = Unwrap::new(wrapping);
        let mut payload = Vec::new();
        let (first, second) = body.split_at(split.min(body.len()));
        unwrap.feed(first, |bytes| payload.extend_from_slice(bytes));
        unwrap.feed(second, |bytes| payload.extend_from_slice(bytes));
        let end = unwrap.finish(|bytes| payload.extend_from_slice(bytes));
        (payload, end)
    }

    #[test]
    fn takes_the_wrapping_off_however_it_is_split() {
        use End::{Absent, Broken, Complete};
        use Wrapping::{Form, Script};
        let cases: &[(Wrapping, &str, &str, End)] = &[
            (Wrapping::None, "6\u{1e}1", "6\u{1e}1", Complete),
            (
                Script,
                r#"___eio[12]("0{\"sid\":\"a\"}");"#,
                r#"0{"sid":"a"}"#,
                Complete,
            ),
            (Script, r#"___eio[]("6\u001e1");"#, "6\u{1e}1", Complete),
            (
                Script,
                r#"___eio[0]("4é\u2028\ud83d\n\\\/");"#,
                "4é\u{2028}\u{fffd}\n\\/",
                Complete,
            ),
            (Script, r#"___eio[0]("4a"#, "4a", Broken),
            (Script, r#"___eio[0]("\uzz");"#, "", Broken),
            (Script, "<html>", "", Broken),
            (Script, "", "", Broken),
            (Form, "d=40", "40", Complete),
            (Form, "d=2%3A40%0Ax+y", "2:40\nx y", Complete),
            (Form, r"x=1&d=4\n\\n\a\\\&d=5", "4\n\\n\\a\\\\\\", Complete),
            (Form, "d=%4&x", "%4", Complete),
            (Form, "d=%zz%4z%", "%zz%4z%", Complete),
            (Form, "dd=1&e=2&d", "", Absent),
            (Form, "d=", "", Complete),
            (Form, "", "", Absent),
        ];
        for &(wrapping, body, payload, end) in cases {
            for split in 0..=body.len() {
                let unwrapped = unwrap(wrapping, body.as_bytes(), split);
                assert_eq!(
                    unwrapped,
                    (payload.as_bytes().to_vec(), end),
                    "{body} at {split}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn never_panics_nor_grows(body in prop::collection::vec(any::<u8>(), 0..200), split in 0usize..200) {
            for wrapping in [Wrapping::None, Wrapping::Script, Wrapping::Form] {
                let (payload, _) = unwrap(wrapping, &body, split);
                prop_assert!(payload.len() <= body.len());
            }
        }
    }
}
