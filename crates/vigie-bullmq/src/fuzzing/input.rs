//! Decisions and texts from arbitrary bytes.

use redis::Value;

use crate::protocol::outcome::Final;

const EVENTS: [&[u8]; 14] = [
    b"added",
    b"waiting",
    b"active",
    b"completed",
    b"failed",
    b"delayed",
    b"stalled",
    b"waiting-children",
    b"removed",
    b"cleaned",
    b"deduplicated",
    b"paused",
    b"resumed",
    b"progress",
];
const FIELDS: [&[u8]; 8] = [
    b"event",
    b"jobId",
    b"name",
    b"prev",
    b"count",
    b"returnvalue",
    b"failedReason",
    b"",
];

/// Input for decisions and texts; returns 0 when the bytes are used up.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub(super) fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    pub(super) fn text(&mut self) -> &'a [u8] {
        let length = match self.byte() {
            // Longer than the limits on job ids and names.
            255 => 2_000,
            length => usize::from(length % 32),
        };
        let (text, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        text
    }

    /// One of the texts, or an arbitrary one.
    pub(super) fn one_of(&mut self, texts: &[&'a [u8]]) -> &'a [u8] {
        let at = usize::from(self.byte());
        match texts.get(at % (texts.len() + 1)) {
            Some(text) => text,
            None => self.text(),
        }
    }

    /// The fields of a valid or nearly valid entry, and the outcome that it contains.
    pub(super) fn fields(&mut self) -> (Vec<Value>, Option<Final>) {
        const IDS: [&[u8]; 8] = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"];
        let event = self.one_of(&EVENTS);
        let mut fields = vec![
            (&b"event"[..], event),
            (b"jobId", self.one_of(&IDS)),
            (b"name", self.one_of(&[b"mail", b"resize"])),
        ];
        for _ in 0..self.byte() % 4 {
            fields.push((self.one_of(&FIELDS), self.one_of(&EVENTS)));
        }
        let shift = usize::from(self.byte()) % fields.len();
        fields.rotate_left(shift);
        // If a field occurs twice, the last one counts.
        let event = fields.iter().rfind(|(field, _)| *field == b"event");
        let ended = event.and_then(|(_, event)| {
            let mut ends = Final::ALL.into_iter();
            ends.find(|end| end.as_str().as_bytes() == *event)
        });
        let fields = fields.into_iter().flat_map(|(field, value)| [field, value]);
        let mut fields: Vec<_> = fields.map(bulk).collect();
        if self.byte() == 255 {
            // An incomplete pair.
            fields.push(Value::Nil);
        }
        (fields, ended)
    }
}

pub(super) fn bulk(text: &[u8]) -> Value {
    Value::BulkString(text.to_vec())
}
