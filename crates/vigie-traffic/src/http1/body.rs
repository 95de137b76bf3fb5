//! The body of a message while it is read.

use std::mem;

use super::chunks::{Chunk, Chunks, take};
use super::lines::Lines;
use super::section::TrailerSection;
use crate::{Body, Event, Exchange, Fault, Fields, Step};

/// The position in a body.
#[derive(Debug)]
pub(crate) enum Reading {
    /// With this number of bytes left; 0 if the message is complete.
    Length(u64),
    Chunks(Chunks),
    Trailers(TrailerSection),
    UntilClose,
}

/// The part of the message that follows a step.
pub(crate) enum Next {
    /// More of the body.
    Body,
    /// Another message, if there is one.
    Message,
    /// Nothing, because the body was refused.
    Nothing,
}

/// A part of a body.
enum Piece<'a> {
    /// Data, the last chunk or trailers.
    Event(Event<'a>),
    End,
    /// The input is read.
    Incomplete,
}

impl<'a> Piece<'a> {
    fn data(data: &'a [u8]) -> Self {
        match data {
            [] => Self::Incomplete,
            _ => Self::Event(Event::Body(data)),
        }
    }
}

/// The limits of trailers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrailerLimits {
    pub(crate) bytes: usize,
    pub(crate) fields: usize,
}

impl Reading {
    pub(crate) fn begin(body: Body) -> Self {
        match body {
            Body::None => Self::Length(0),
            Body::Length(length) => Self::Length(length),
            Body::Chunked => Self::Chunks(Chunks::BEGIN),
            Body::UntilClose => Self::UntilClose,
        }
    }

    /// Reads a step of a message that ends with the event `end`. Returns also what follows it.
    pub(crate) fn step<'a, 'i: 'a>(
        &mut self,
        lines: &'a mut Lines,
        limits: TrailerLimits,
        input: &mut &'i [u8],
        exchange: Exchange,
        end: Event<'static>,
    ) -> (Step<'a>, Next) {
        let (passed, piece) = self.read(lines, limits, input);
        let (event, next) = match piece {
            Ok(Piece::Event(event)) => (Some(event), Next::Body),
            Ok(Piece::Incomplete) => (None, Next::Body),
            Ok(Piece::End) => (Some(end), Next::Message),
            Err(fault) => (Some(Event::Refused(fault)), Next::Nothing),
        };
        (Step::new(exchange, passed, event), next)
    }

    /// Returns the bytes that may be forwarded, and what they are.
    fn read<'a, 'i: 'a>(
        &mut self,
        lines: &'a mut Lines,
        limits: TrailerLimits,
        input: &mut &'i [u8],
    ) -> (&'a [u8], Result<Piece<'a>, Fault>) {
        let begin = *input;
        match self {
            Self::Length(0) => (&[], Ok(Piece::End)),
            Self::Length(left) => {
                let (data, rest) = take(input, *left);
                *left -= data.len() as u64;
                *input = rest;
                (data, Ok(Piece::data(data)))
            }
            Self::UntilClose => (begin, Ok(Piece::data(mem::take(input)))),
            Self::Chunks(chunks) => {
                let chunk = chunks.read(input);
                let passed = &begin[..begin.len() - input.len()];
                match chunk {
                    Ok(Chunk::Data(data)) => (passed, Ok(Piece::data(data))),
                    Ok(Chunk::Incomplete) => (passed, Ok(Piece::Incomplete)),
                    Ok(Chunk::Last) => {
                        *self = Self::Trailers(TrailerSection::new(limits.fields));
                        (passed, Ok(Piece::Event(Event::LastChunk)))
                    }
                    Err(fault) => (passed, Err(fault)),
                }
            }
            Self::Trailers(section) => match lines.read(input, limits.bytes, section) {
                Ok(Some(trailers)) => {
                    *self = Self::Length(0);
                    let event = Event::Trailers(Fields::new(trailers));
                    (trailers, Ok(Piece::Event(event)))
                }
                Ok(None) => (&[], Ok(Piece::Incomplete)),
                Err(fault) => (&[], Err(fault)),
            },
        }
    }

    /// Skips missing bytes as far as they are data, and reduces `missing` by them. Returns the number skipped.
    pub(crate) fn skip(&mut self, missing: &mut u64) -> u64 {
        let skipped = match self {
            Self::Length(left) => {
                let skipped = (*missing).min(*left);
                *left -= skipped;
                skipped
            }
            Self::Chunks(chunks) => chunks.skip(*missing),
            Self::UntilClose => *missing,
            Self::Trailers(_) => 0,
        };
        *missing -= skipped;
        skipped
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self, Self::Length(0))
    }

    pub(crate) fn is_until_close(&self) -> bool {
        matches!(self, Self::UntilClose)
    }
}
