//! One direction of a TCP connection: its bytes in their order, and what is missing between them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::filter::RESPONSE_BYTES;

/// The segments that a direction holds behind a hole.
const MAX_SEGMENTS: usize = 256;

/// The captured bytes that a direction holds behind a hole.
const MAX_BYTES: usize = 256 * 1024;

/// The largest distance between two sequence numbers whose order is known: the largest window of TCP.
const MAX_WINDOW: u32 = 1 << 30;

/// When bytes were sent, and after which bytes of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// When the segment was captured.
    pub at: Duration,
    /// The number of the next byte that the sender expected from the other side.
    pub acknowledged: u32,
}

/// A part of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Captured bytes.
    Bytes(&'a [u8]),
    /// Bytes that the filter left out.
    Cut(u32),
    /// Bytes that were sent and not captured.
    Missing(u32),
    /// Nothing follows.
    End,
}

/// How a segment relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It contains bytes that were not sent before, as far as is known.
    New,
    /// All its bytes were seen before.
    Repeated,
    /// Its numbers are far from the others: it does not belong to the connection.
    Foreign,
}

/// The bytes of a segment that arrived before its predecessors.
#[derive(Debug)]
struct Held {
    sequence: u32,
    length: u32,
    bytes: Box<[u8]>,
    context: Context,
}

/// One direction.
#[derive(Debug)]
pub struct Stream {
    /// The number of the next byte.
    next: u32,
    /// Whether `next` is a lower bound, because the beginning was not captured: the next segment may begin anywhere.
    floating: bool,
    /// The number after the last byte, and when it became known.
    end: Option<(u32, Context)>,
    ended: bool,
    /// By their numbers, at most [`MAX_SEGMENTS`].
    held: VecDeque<Held>,
    held_bytes: usize,
}

/// The distance from `from` to `to`, negative if `to` is before.
fn distance(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from).cast_signed())
}

impl Stream {
    /// A direction whose next byte has this number.
    #[must_use]
    pub fn new(next: u32) -> Self {
        Self {
            next,
            floating: false,
            end: None,
            ended: false,
            held: VecDeque::new(),
            held_bytes: 0,
        }
    }

    /// A direction that exists already; its next byte has this number or a later one.
    #[must_use]
    pub fn floating(next: u32) -> Self {
        Self {
            floating: true,
            ..Self::new(next)
        }
    }

    /// The number of the next byte.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// The captured bytes that are held behind a hole.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether bytes are missing before segments or an end that were captured.
    #[must_use]
    pub fn has_hole(&self) -> bool {
        !self.held.is_empty() || (self.end.is_some() && !self.ended)
    }

    /// Whether all bytes were passed.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next byte has this number exactly.
    pub fn settle(&mut self) {
        self.floating = false;
    }

    /// Adds a segment of `length` bytes, of which the beginning was captured, and passes what follows the parts before to
    /// `sink`. A segment behind a hole is held if it `may_be_held`; otherwise the hole is passed.
    pub fn push(
        &mut self,
        (sequence, length): (u32, u32),
        captured: &[u8],
        context: Context,
        may_be_held: bool,
        sink: &mut impl FnMut(Part<'_>, Context),
    ) -> Kind {
        let ahead = distance(self.next, sequence);
        if ahead.unsigned_abs() > MAX_WINDOW.into() {
            return Kind::Foreign;
        }
        if ahead + i64::from(length) <= 0 {
            return Kind::Repeated;
        }
        if ahead > 0 && self.floating && self.held.is_empty() {
            self.next = sequence;
        }
        self.floating = false;
        if distance(self.next, sequence) <= 0 {
            self.deliver((sequence, length), captured, context, sink);
            self.deliver_held(sink);
            return Kind::New;
        }
        let kind = self.hold((sequence, length), captured, context);
        while self.has_hole()
            && (!may_be_held || self.held.len() > MAX_SEGMENTS || self.held_bytes > MAX_BYTES)
        {
            self.pass_hole(sink);
        }
        kind
    }

    /// The other side received all bytes before `acknowledged`: those not captured will not come.
    pub fn acknowledge(
        &mut self,
        acknowledged: u32,
        context: Context,
        sink: &mut impl FnMut(Part<'_>, Context),
    ) {
        // The end has a number of its own.
        let acknowledged = match self.end {
            Some((end, _)) if distance(end, acknowledged) > 0 => end,
            _ => acknowledged,
        };
        let ahead = distance(self.next, acknowledged);
        if ahead <= 0 || ahead > MAX_WINDOW.into() || self.ended {
            return;
        }
        if self.floating {
            self.next = acknowledged;
            return;
        }
        while distance(self.next, acknowledged) > 0 {
            let hole = self
                .held
                .front()
                .map(|held| distance(self.next, held.sequence));
            match hole {
                Some(hole) if distance(self.next, acknowledged) > hole => self.pass_hole(sink),
                _ => {
                    let missing = acknowledged.wrapping_sub(self.next);
                    self.next = acknowledged;
                    sink(Part::Missing(missing), context);
                    self.finish(sink, context);
                    break;
                }
            }
        }
    }

    /// The last byte has the number before `sequence`.
    pub fn end_at(
        &mut self,
        sequence: u32,
        context: Context,
        sink: &mut impl FnMut(Part<'_>, Context),
    ) {
        let ahead = distance(self.next, sequence);
        if self.floating && ahead > 0 && ahead <= MAX_WINDOW.into() {
            self.next = sequence;
        }
        if (0..=i64::from(MAX_WINDOW)).contains(&distance(self.next, sequence)) {
            self.end = Some((sequence, context));
            self.finish(sink, context);
        }
    }

    /// Waits no longer for missing bytes.
    pub fn pass_holes(&mut self, sink: &mut impl FnMut(Part<'_>, Context)) {
        while self.has_hole() {
            self.pass_hole(sink);
        }
    }

    fn finish(&mut self, sink: &mut impl FnMut(Part<'_>, Context), context: Context) {
        let reached = self
            .end
            .is_some_and(|(end, _)| distance(self.next, end) <= 0);
        if reached && !self.ended {
            self.ended = true;
            sink(Part::End, context);
        }
    }

    /// Passes the first hole and what follows it.
    fn pass_hole(&mut self, sink: &mut impl FnMut(Part<'_>, Context)) {
        let (sequence, context) = match (self.held.front(), self.end) {
            (Some(first), _) => (first.sequence, first.context),
            (None, Some((end, context))) => (end, context),
            (None, None) => return,
        };
        let missing = distance(self.next, sequence);
        if missing > 0 {
            self.next = sequence;
            // Not more than the window.
            sink(
                Part::Missing(u32::try_from(missing).unwrap_or(u32::MAX)),
                context,
            );
        }
        self.deliver_held(sink);
        self.finish(sink, context);
    }

    fn deliver_held(&mut self, sink: &mut impl FnMut(Part<'_>, Context)) {
        while self
            .held
            .front()
            .is_some_and(|first| distance(self.next, first.sequence) <= 0)
        {
            let Some(first) = self.held.pop_front() else {
                return;
            };
            self.held_bytes -= first.bytes.len();
            if distance(self.next, first.sequence) + i64::from(first.length) > 0 {
                let place = (first.sequence, first.length);
                self.deliver(place, &first.bytes, first.context, sink);
            }
        }
    }

    /// Passes a segment that begins at the next byte or before.
    fn deliver(
        &mut self,
        (sequence, length): (u32, u32),
        captured: &[u8],
        context: Context,
        sink: &mut impl FnMut(Part<'_>, Context),
    ) {
        let known = self.next.wrapping_sub(sequence);
        let new = captured.get(known as usize..).unwrap_or(&[]);
        let length = length - known;
        self.next = self.next.wrapping_add(length);
        if !new.is_empty() {
            sink(Part::Bytes(new), context);
        }
        // A packet has less than 4 GiB.
        let cut = length.saturating_sub(u32::try_from(new.len()).unwrap_or(u32::MAX));
        if cut > 0 {
            // The filter leaves a fixed number of bytes; the kernel also cuts packets that are larger than a block.
            let part = match captured.len() == RESPONSE_BYTES as usize {
                true => Part::Cut(cut),
                false => Part::Missing(cut),
            };
            sink(part, context);
        }
        self.finish(sink, context);
    }

    fn hold(&mut self, (sequence, length): (u32, u32), captured: &[u8], context: Context) -> Kind {
        let at = self
            .held
            .partition_point(|held| distance(held.sequence, sequence) > 0);
        if let Some(same) = self.held.get(at)
            && same.sequence == sequence
            && same.length >= length
        {
            return Kind::Repeated;
        }
        self.held_bytes += captured.len();
        let held = Held {
            sequence,
            length,
            bytes: captured.into(),
            context,
        };
        self.held.insert(at, held);
        Kind::New
    }
}
