//! Values in the formats of Go's `fmt`.

use std::fmt::Write as _;

use super::collection::ListKind;
use super::out::Out;
use super::value::Value;
use super::{go, pairs};

/// Flags, width and precision of one verb.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%#v`: the value in Go's own syntax.
    pub(super) syntax: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Spec {
    pub(super) fn value(&self, out: &mut Out, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(out, "<nil>"),
            (_, 'T') => self.text(out, value.kind(), value, 's'),
            (Value::Nil, _) => {
                let _ = write!(out, "%!{verb}(<nil>)");
            }
            (Value::Bool(truth), 't' | 'v') => self.pad(out, if *truth { "true" } else { "false" }),
            (Value::Int(number), _) => self.integer(out, *number, value, verb),
            (Value::Float(number), _) => self.float(out, *number, value, verb),
            (Value::Text(text) | Value::Html(text) | Value::Url(text), _) => {
                self.text(out, text, value, verb);
            }
            (
                Value::Time(_) | Value::Duration(_) | Value::Moment(_) | Value::Span(_),
                'v' | 's' | 'q' | 'x' | 'X',
            ) => {
                self.text(out, &super::time::display(value), value, verb);
            }
            (Value::Span(nanos), _) => self.integer(out, *nanos, value, verb),
            (Value::Pairs(map), 'v' | 's' | 'q' | 'x' | 'X') if !self.syntax => {
                self.text(out, &pairs::display(map), value, verb);
            }
            (Value::List(list), 'v' | 's' | 'q' | 'x' | 'X')
                if list.kind() == ListKind::Pairs && !self.syntax =>
            {
                self.text(out, &pairs::listed(list.items()), value, verb);
            }
            (Value::Strings(map) | Value::Pairs(map), _) => {
                let items = map
                    .iter()
                    .map(|(key, value)| (key.as_str(), Value::text(value.as_str())));
                self.map(out, value.kind(), items, verb);
            }
            (Value::Map(map), _) => {
                let items = map.entries().iter();
                let items = items.map(|(key, value)| (key.as_str(), value.clone()));
                self.map(out, value.kind(), items, verb);
            }
            (Value::List(list), _) => self.list(out, '[', list.items().iter(), ']', verb),
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

    /// A value in a list or map, where nil has one form.
    fn item(&self, out: &mut Out, value: &Value, verb: char) {
        match value {
            Value::Nil => out.push_str("<nil>"),
            value => self.value(out, value, verb),
        }
    }

    fn map<'v>(
        &self,
        out: &mut Out,
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
            if out.is_full() {
                return;
            }
            if at > 0 {
                out.push_str(separator);
            }
            self.value(out, &Value::text(key), verb);
            out.push(':');
            self.item(out, &value, verb);
        }
        out.push(close);
    }

    fn list<'v>(
        &self,
        out: &mut Out,
        open: char,
        items: impl Iterator<Item = &'v Value>,
        close: char,
        verb: char,
    ) {
        out.push(open);
        for (at, item) in items.enumerate() {
            if out.is_full() {
                return;
            }
            if at > 0 {
                out.push(' ');
            }
            self.item(out, item, verb);
        }
        out.push(close);
    }

    fn text(&self, out: &mut Out, text: &str, value: &Value, verb: char) {
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
    pub(super) fn wrong_verb(&self, out: &mut Out, value: &Value, verb: char) {
        let _ = write!(out, "%!{verb}({}=", value.kind());
        self.value(out, value, 'v');
        out.push(')');
    }

    /// Writes a text of at least the width, in characters.
    pub(super) fn pad(&self, out: &mut Out, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let filler = if self.zero { '0' } else { ' ' };
        if self.minus {
            out.push_str(text);
            out.repeat(' ', missing);
        } else {
            out.repeat(filler, missing);
            out.push_str(text);
        }
    }
}
