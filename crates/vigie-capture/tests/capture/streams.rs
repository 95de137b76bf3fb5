//! One direction of a connection.

use std::time::Duration;

use proptest::prelude::*;
use vigie_capture::stream::{Context, Kind, Part, Stream};

const CONTEXT: Context = Context {
    at: Duration::ZERO,
    acknowledged: 0,
};

/// The parts of a direction: `None` for a byte that is not there, and whether it ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Got {
    bytes: Vec<Option<u8>>,
    missing: u64,
    ended: usize,
}

impl Got {
    fn sink(&mut self) -> impl FnMut(Part<'_>, Context) + '_ {
        |part, _| match part {
            Part::Bytes(bytes) => self.bytes.extend(bytes.iter().copied().map(Some)),
            Part::Cut(cut) => self.bytes.extend(std::iter::repeat_n(None, cut as usize)),
            Part::Missing(missing) => {
                self.missing += u64::from(missing);
                self.bytes
                    .extend(std::iter::repeat_n(None, missing as usize));
            }
            Part::End => self.ended += 1,
        }
    }
}

/// The byte at a place.
fn byte(at: u32) -> u8 {
    (at.wrapping_mul(2_654_435_761) >> 24) as u8
}

fn piece(begin: u32, length: u32) -> Vec<u8> {
    (begin..begin + length).map(byte).collect()
}

#[test]
fn numbers_wrap() {
    let first = u32::MAX - 2;
    let (mut stream, mut got) = (Stream::new(first), Got::default());
    assert_eq!(
        stream.push((first, 5), b"abcde", CONTEXT, true, &mut got.sink()),
        Kind::New
    );
    assert_eq!(
        stream.push((2, 2), b"fg", CONTEXT, true, &mut got.sink()),
        Kind::New
    );
    assert_eq!(
        stream.push((first, 5), b"abcde", CONTEXT, true, &mut got.sink()),
        Kind::Repeated
    );
    stream.end_at(4, CONTEXT, &mut got.sink());
    let bytes: Vec<u8> = got.bytes.iter().flatten().copied().collect();
    assert_eq!(
        (&bytes[..], got.missing, got.ended),
        (&b"abcdefg"[..], 0, 1)
    );
}

#[test]
fn what_the_other_side_has_received_does_not_come_again() {
    let (mut stream, mut got) = (Stream::new(0), Got::default());
    stream.push((10, 5), b"hello", CONTEXT, true, &mut got.sink());
    assert!(stream.has_hole() && got.bytes.is_empty());
    stream.acknowledge(15, CONTEXT, &mut got.sink());
    assert_eq!((got.missing, got.bytes.len()), (10, 15));
    // The end has a number of its own, which is no byte.
    stream.end_at(15, CONTEXT, &mut got.sink());
    stream.acknowledge(16, CONTEXT, &mut got.sink());
    assert_eq!((got.missing, got.ended), (10, 1));
}

#[test]
fn a_direction_found_in_its_middle_misses_nothing_before_it() {
    let (mut stream, mut got) = (Stream::floating(100), Got::default());
    stream.acknowledge(500, CONTEXT, &mut got.sink());
    stream.push((700, 3), b"abc", CONTEXT, true, &mut got.sink());
    assert_eq!((got.missing, got.bytes.len(), stream.next()), (0, 3, 703));
    stream.push((710, 3), b"abc", CONTEXT, false, &mut got.sink());
    assert_eq!(got.missing, 7);
}

#[test]
fn a_segment_of_another_connection_is_ignored() {
    let (mut stream, mut got) = (Stream::new(0), Got::default());
    let far = stream.push((1 << 31, 3), b"abc", CONTEXT, true, &mut got.sink());
    assert_eq!((far, stream.has_hole()), (Kind::Foreign, false));
}

#[test]
fn held_segments_are_bounded() {
    let (mut stream, mut got) = (Stream::new(0), Got::default());
    for n in 0..10_000u32 {
        stream.push((1 + n * 100, 50), &[1; 50], CONTEXT, true, &mut got.sink());
        assert!(stream.held_bytes() <= 256 * 50);
    }
    let (mut stream, mut got) = (Stream::new(0), Got::default());
    for n in 0..40u32 {
        stream.push(
            (1 + n * 100_000, 60_000),
            &[1; 60_000],
            CONTEXT,
            true,
            &mut got.sink(),
        );
        assert!(stream.held_bytes() <= 320_000);
    }
    assert!(got.missing > 0);
}

/// A segment: where it begins, how long it is, and how much of it was captured.
type Piece = (u32, u32, u32);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// However a direction is divided, repeated and reordered, its bytes are the same; those that no segment contains are
    /// missing, and nothing else is.
    #[test]
    fn bytes_are_passed_once_and_in_their_order(
        first in any::<u32>(),
        total in 1u32..400,
        cuts in proptest::collection::vec(1u32..60, 1..20),
        dropped in proptest::collection::vec(any::<prop::sample::Index>(), 0..3),
        repeated in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u32..40), 0..8),
        swapped in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        captured in 0u32..60,
    ) {
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut begin, mut lengths) = (0, cuts.iter().cycle());
        while begin < total {
            let length = (*lengths.next().unwrap()).min(total - begin);
            pieces.push((begin, length, length));
            begin += length;
        }
        // A dropped segment, unless it is sent again.
        for at in &dropped {
            if pieces.len() > 1 {
                pieces.remove(at.index(pieces.len()));
            }
        }
        for (from, to, extra) in &repeated {
            let (begin, length, _) = pieces[from.index(pieces.len())];
            let begin = begin.saturating_sub(*extra);
            let length = (length + 2 * extra).min(total - begin);
            pieces.insert(to.index(pieces.len() + 1), (begin, length, length));
        }
        for at in &swapped {
            if pieces.len() > 1 {
                let at = at.index(pieces.len() - 1);
                pieces.swap(at, at + 1);
            }
        }
        // The first segment of a direction may be cut by the filter.
        if captured < 30 {
            for piece in &mut pieces {
                piece.2 = piece.2.min(captured);
            }
        }
        let mut known = vec![false; total as usize];
        let mut readable = vec![false; total as usize];
        for &(begin, length, captured) in &pieces {
            known[begin as usize..(begin + length) as usize].fill(true);
            readable[begin as usize..(begin + captured) as usize].fill(true);
        }

        let (mut stream, mut got) = (Stream::new(first), Got::default());
        for (begin, length, captured) in pieces {
            let bytes = piece(begin, captured);
            stream.push((first.wrapping_add(begin), length), &bytes, CONTEXT, true, &mut got.sink());
        }
        stream.end_at(first.wrapping_add(total), CONTEXT, &mut got.sink());
        stream.acknowledge(first.wrapping_add(total + 1), CONTEXT, &mut got.sink());

        prop_assert_eq!(got.bytes.len(), total as usize);
        let unsent = known.iter().filter(|known| !**known).count() as u64;
        // Bytes that something other than the filter cut from a segment are missing too.
        prop_assert!(got.missing >= unsent);
        prop_assert!(captured < 30 || got.missing == unsent);
        prop_assert_eq!(got.ended, 1);
        prop_assert_eq!(stream.held_bytes(), 0);
        for (at, read) in got.bytes.iter().enumerate() {
            if let Some(read) = read {
                prop_assert!(readable[at]);
                prop_assert_eq!(*read, byte(at as u32));
            }
        }
    }
}
