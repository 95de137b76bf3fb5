//! A TCP connection.

use std::time::Duration;

use vigie_traffic::Side;

use crate::counts::Counts;
use crate::packet::Segment;
use crate::protocol::Protocol;
use crate::reader::{AppState, Reader};
use crate::stream::{Context, Kind, Part, Stream};

/// A TCP connection, with the HTTP that is read from it.
pub(crate) struct Connection {
    /// The interface on which it was seen first; the others may repeat it.
    pub(crate) interface: u32,
    /// When its last segment was captured.
    pub(crate) seen: Duration,
    /// Since when a direction has a hole.
    pub(crate) hole_since: Option<Duration>,
    reader: Reader,
    client: Stream,
    /// `None` until the app accepts the connection.
    app: Option<Stream>,
    reset: bool,
    /// The number of the client's SYN.
    opened: Option<u32>,
}

impl Connection {
    /// A connection whose client sends this segment, which opens it if it is a SYN.
    pub(crate) fn from_client(
        segment: &Segment<'_>,
        interface: u32,
        at: Duration,
        reader: Reader,
    ) -> Self {
        let (client, app) = match segment.syn {
            true => (Stream::new(segment.sequence.wrapping_add(1)), None),
            false => (
                Stream::floating(segment.sequence),
                segment.acknowledged.map(Stream::floating),
            ),
        };
        Self::new((client, app), interface, at, reader)
    }

    /// A connection whose app sends this segment, which opens it if it is a SYN.
    pub(crate) fn from_app(
        segment: &Segment<'_>,
        interface: u32,
        at: Duration,
        reader: Reader,
    ) -> Self {
        let acknowledged = segment.acknowledged.unwrap_or_default();
        let streams = match segment.syn {
            true => (
                Stream::new(acknowledged),
                Some(Stream::new(segment.sequence.wrapping_add(1))),
            ),
            false => (
                Stream::floating(acknowledged),
                Some(Stream::floating(segment.sequence)),
            ),
        };
        Self {
            opened: segment.syn.then(|| acknowledged.wrapping_sub(1)),
            ..Self::new(streams, interface, at, reader)
        }
    }

    fn new(
        (client, app): (Stream, Option<Stream>),
        interface: u32,
        at: Duration,
        reader: Reader,
    ) -> Self {
        Self {
            interface,
            seen: at,
            hole_since: None,
            reader,
            client,
            app,
            reset: false,
            opened: None,
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.reader.protocol()
    }

    pub(crate) fn take_saw_engineio(&mut self) -> bool {
        self.reader.take_saw_engineio()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.app.as_ref().map_or(0, Stream::held_bytes)
    }

    pub(crate) fn has_ended(&self) -> bool {
        let app = self.app.as_ref();
        self.reset || (self.client.has_ended() && app.is_some_and(Stream::has_ended))
    }

    /// Whether a SYN of the client opens another connection between the same addresses.
    pub(crate) fn is_replaced_by(&self, segment: &Segment<'_>) -> bool {
        segment.syn && self.opened != Some(segment.sequence)
    }

    /// A segment of this side, whose beginning may be held behind a hole.
    pub(crate) fn segment(
        &mut self,
        from: Side,
        segment: &Segment<'_>,
        at: Duration,
        may_be_held: bool,
        counts: &mut Counts,
    ) {
        self.seen = at;
        if segment.syn && from == Side::Client {
            self.opened = Some(segment.sequence);
        }
        match from {
            Side::Client => self.client_segment(segment, at, may_be_held, counts),
            Side::App => self.app_segment(segment, at, may_be_held, counts),
        }
        let has_hole = self.client.has_hole() || self.app.as_ref().is_some_and(Stream::has_hole);
        self.hole_since = match has_hole {
            true => self.hole_since.or(Some(at)),
            false => None,
        };
    }

    fn client_segment(
        &mut self,
        segment: &Segment<'_>,
        at: Duration,
        may_be_held: bool,
        counts: &mut Counts,
    ) {
        if segment.rst {
            return self.reset_by(Side::Client, segment, at, counts);
        }
        let acknowledged = segment.acknowledged.unwrap_or_default();
        let context = Context { at, acknowledged };
        if segment.acknowledged.is_some() {
            let is_first = self.opened == Some(segment.sequence.wrapping_sub(1));
            if self.app.is_none() && !is_first {
                // The first bytes of the app may be missing.
                self.reader.abandon(at, counts);
            }
            let app = self.app.get_or_insert_with(|| match is_first {
                // The answer to the client's SYN was not captured.
                true => Stream::new(acknowledged),
                false => Stream::floating(acknowledged),
            });
            let reader = &mut self.reader;
            app.acknowledge(acknowledged, context, &mut |part, context| {
                pass_app(reader, part, context, counts);
            });
        }
        let Self {
            reader,
            client,
            app,
            ..
        } = self;
        let mut joined = false;
        let state = app_state(app.as_ref());
        let mut sink = |part: Part<'_>, context: Context| {
            joined |= pass_client(reader, part, context, state, counts);
        };
        let place = data(segment);
        let kind = match segment.length {
            0 => None,
            _ => Some(client.push(place, segment.payload, context, may_be_held, &mut sink)),
        };
        if segment.fin {
            let end = place.0.wrapping_add(segment.length);
            client.end_at(end, context, &mut sink);
        }
        if let Some(app) = app.as_mut().filter(|_| joined) {
            app.settle();
        }
        count(
            kind,
            place,
            self.client.next(),
            &mut counts.bytes.client,
            &mut counts.repeated.client,
        );
    }

    fn app_segment(
        &mut self,
        segment: &Segment<'_>,
        at: Duration,
        may_be_held: bool,
        counts: &mut Counts,
    ) {
        if segment.rst {
            if self.app.is_none() {
                counts.refused += 1;
                self.reset = true;
                return;
            }
            return self.reset_by(Side::App, segment, at, counts);
        }
        let context = Context {
            at,
            acknowledged: segment.acknowledged.unwrap_or_default(),
        };
        let place = data(segment);
        if self.app.is_none() && !segment.syn {
            // The first bytes of the app may be missing.
            self.reader.abandon(at, counts);
        }
        let app = self.app.get_or_insert_with(|| match segment.syn {
            true => Stream::new(place.0),
            false => Stream::floating(place.0),
        });
        let state = app_state(Some(app));
        let mut joined = false;
        if let Some(acknowledged) = segment.acknowledged {
            let reader = &mut self.reader;
            self.client
                .acknowledge(acknowledged, context, &mut |part, context| {
                    joined |= pass_client(reader, part, context, state, counts);
                });
        }
        if joined {
            app.settle();
        }
        let reader = &mut self.reader;
        let mut sink = |part: Part<'_>, context: Context| pass_app(reader, part, context, counts);
        let kind = match segment.length {
            0 => None,
            _ => Some(app.push(place, segment.payload, context, may_be_held, &mut sink)),
        };
        if segment.fin {
            app.end_at(place.0.wrapping_add(segment.length), context, &mut sink);
        }
        let next = app.next();
        count(
            kind,
            place,
            next,
            &mut counts.bytes.app,
            &mut counts.repeated.app,
        );
    }

    fn reset_by(&mut self, side: Side, segment: &Segment<'_>, at: Duration, counts: &mut Counts) {
        // The numbers of a reset tell what both sides had sent before it.
        let (sent, received) = (Some(segment.sequence), segment.acknowledged);
        let (client, app) = match side {
            Side::Client => (sent, received),
            Side::App => (received, sent),
        };
        let context = Context {
            at,
            acknowledged: 0,
        };
        self.pass_holes(counts);
        let reader = &mut self.reader;
        if let Some(client) = client {
            self.client
                .acknowledge(client, context, &mut |part, context| {
                    pass_client(reader, part, context, AppState::default(), counts);
                });
        }
        if let (Some(app), Some(number)) = (&mut self.app, app) {
            app.acknowledge(number, context, &mut |part, context| {
                pass_app(reader, part, context, counts);
            });
        }
        match side {
            Side::Client => counts.reset.client += 1,
            Side::App => counts.reset.app += 1,
        }
        self.reader.reset(side, at, counts);
        self.reset = true;
    }

    /// Waits no longer for the bytes in holes.
    pub(crate) fn pass_holes(&mut self, counts: &mut Counts) {
        let Self {
            reader,
            client,
            app,
            ..
        } = self;
        let state = app_state(app.as_ref());
        let mut joined = false;
        client.pass_holes(&mut |part, context| {
            joined |= pass_client(reader, part, context, state, counts);
        });
        if let Some(app) = app {
            if joined {
                app.settle();
            }
            app.pass_holes(&mut |part, context| pass_app(reader, part, context, counts));
        }
        self.hole_since = None;
    }

    /// Nothing more will be known of it.
    pub(crate) fn abandon(&mut self, at: Duration, counts: &mut Counts) {
        self.pass_holes(counts);
        self.reader.abandon(at, counts);
    }
}

/// The number of the first byte of the payload, and its length.
fn data(segment: &Segment<'_>) -> (u32, u32) {
    let first = segment.sequence.wrapping_add(u32::from(segment.syn));
    (first, segment.length)
}

fn app_state(app: Option<&Stream>) -> AppState {
    AppState {
        next: app.map_or(0, Stream::next),
        has_hole: app.is_some_and(Stream::has_hole),
    }
}

fn pass_client(
    reader: &mut Reader,
    part: Part<'_>,
    context: Context,
    app: AppState,
    counts: &mut Counts,
) -> bool {
    if let Part::Missing(missing) = part {
        counts.unseen.client += u64::from(missing);
    }
    reader.client(part, context, app, counts)
}

fn pass_app(reader: &mut Reader, part: Part<'_>, context: Context, counts: &mut Counts) {
    if let Part::Missing(missing) = part {
        counts.unseen.app += u64::from(missing);
    }
    reader.app(part, context.at, counts);
}

fn count(
    kind: Option<Kind>,
    (sequence, length): (u32, u32),
    next: u32,
    bytes: &mut u64,
    repeated: &mut u64,
) {
    match kind {
        Some(Kind::New) => *bytes += u64::from(length),
        // A probe of an idle connection repeats its last byte.
        Some(Kind::Repeated) if length == 1 && sequence.wrapping_add(1) == next => {}
        Some(Kind::Repeated) => *repeated += 1,
        Some(Kind::Foreign) | None => {}
    }
}
