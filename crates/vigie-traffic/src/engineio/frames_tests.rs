#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Start(bool, bool),
    Data(Vec<u8>),
    Missing,
    End,
    Close,
}

/// Everything that passes, with the pieces of a payload joined.
fn scan<'a>(want: Want, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut frames = Frames::new(want);
    let mut seen = Vec::new();
    for piece in pieces {
        frames.feed(piece, |piece| {
            match (piece, seen.last_mut()) {
                (Piece::Data(more), Some(Seen::Data(data))) => data.extend_from_slice(more),
                (Piece::Data(data), _) => seen.push(Seen::Data(data.to_vec())),
                (Piece::Start { text, compressed }, _) => seen.push(Seen::Start(text, compressed)),
                (Piece::Missing, _) => seen.push(Seen::Missing),
                (Piece::End, _) => seen.push(Seen::End),
                (Piece::Close, _) => seen.push(Seen::Close),
            }
            want
        });
    }
    seen
}

fn split_everywhere(want: Want, bytes: &[u8], expected: &[Seen]) {
    for at in 0..=bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(scan(want, [first, second]), expected, "split at {at}");
    }
    assert_eq!(scan(want, bytes.chunks(1)), expected, "byte by byte");
}

/// A frame with the shortest length there is for it, or a longer one.
fn frame(flags: u8, mask: Option<[u8; 4]>, payload: &[u8], length_bytes: usize) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let length = payload.len();
    let mut frame = vec![flags];
    match length_bytes {
        0 => frame.push(masked | u8::try_from(length).unwrap()),
        2 => {
            frame.push(masked | 126);
            frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(masked | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask_bytes = mask.unwrap_or_default();
    frame.extend_from_slice(mask.as_ref().map_or(&[], |mask| &mask[..]));
    frame.extend(
        payload
            .iter()
            .zip(mask_bytes.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

#[test]
fn reads_what_really_passes() {
    use Seen::{Close, Data, End, Start};
    let start = || Start(true, false);
    let data = |text: &str| Data(text.as_bytes().to_vec());
    let cases: Vec<(Vec<u8>, Vec<Seen>)> = vec![
        // The client's `2probe` and `5`, masked, then a Close without code.
        (
            vec![
                0x81,
                0x86,
                1,
                2,
                3,
                4,
                b'2' ^ 1,
                b'p' ^ 2,
                b'r' ^ 3,
                b'o' ^ 4,
                b'b' ^ 1,
                b'e' ^ 2,
                0x81,
                0x81,
                9,
                8,
                7,
                6,
                b'5' ^ 9,
                0x88,
                0x80,
                0,
                0,
                0,
                0,
            ],
            vec![start(), data("2probe"), End, start(), data("5"), End, Close],
        ),
        // The server's `3probe`, a protocol ping, and a Close with a code.
        (
            [
                b"\x81\x063probe".as_slice(),
                b"\x89\x02hi",
                b"\x88\x02\x03\xe8",
            ]
            .concat(),
            vec![start(), data("3probe"), End, Close],
        ),
        // In fragments, with a pong between them, then binary.
        (
            [
                b"\x01\x012".as_slice(),
                b"\x8a\x00",
                b"\x00\x03pro",
                b"\x80\x02be",
                b"\x82\x01\xff",
            ]
            .concat(),
            vec![
                start(),
                data("2probe"),
                End,
                Start(false, false),
                Data(vec![0xff]),
                End,
            ],
        ),
        // Compressed.
        (
            b"\xc1\x01\x00".to_vec(),
            vec![Start(true, true), Data(vec![0]), End],
        ),
        // Empty.
        (b"\x81\x00\x88\x00".to_vec(), vec![start(), End, Close]),
        // A refusal of revision 3: "HTTP/1.1" read as frames is a Close.
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), vec![Close]),
    ];
    for (bytes, expected) in cases {
        split_everywhere(Want::Payload, &bytes, &expected);
    }
}

#[test]
fn all_lengths_masked_or_not_with_payload_or_without() {
    let mask = Some([0xa1, 0xb2, 0xc3, 0xd4]);
    for (length, length_bytes) in [
        (0, 0),
        (125, 0),
        (125, 2),
        (126, 2),
        (300, 2),
        (300, 8),
        (70_000, 8),
    ] {
        let payload: Vec<u8> = (0..length).map(|n: u32| n.to_le_bytes()[0]).collect();
        for mask in [None, mask] {
            let mut bytes = frame(0x81, mask, &payload, length_bytes);
            bytes.extend(frame(0x88, mask, b"", 0));
            let mut expected = vec![Seen::Start(true, false), Seen::End, Seen::Close];
            let headers: Vec<_> = bytes.chunks(7).collect();
            assert_eq!(scan(Want::Headers, headers), expected);
            if length > 0 {
                expected.insert(1, Seen::Data(payload.clone()));
            }
            let split: Vec<_> = bytes.chunks(7).collect();
            assert_eq!(
                scan(Want::Payload, split),
                expected,
                "{length} {length_bytes}"
            );
        }
    }
}

#[test]
fn an_absurd_length_is_only_skipped() {
    let bytes = [
        b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff".as_slice(),
        &[0x88; 500],
    ]
    .concat();
    assert_eq!(scan(Want::Headers, [&*bytes]), [Seen::Start(false, false)]);
}

proptest! {
    #[test]
    fn never_panics_and_does_not_mind_splits(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80u8..0x90, 0u8..8], 0..300),
        chunk in 1usize..20,
    ) {
        for want in [Want::Headers, Want::Payload] {
            prop_assert_eq!(scan(want, bytes.chunks(chunk)), scan(want, [&*bytes]));
        }
    }
}

#[test]
fn missing_bytes_of_one_payload_are_skipped() {
    let mask = Some([1, 2, 3, 4]);
    let bytes = [
        frame(0x81, mask, b"0123456789", 0),
        frame(0x81, mask, b"next", 0),
    ]
    .concat();
    for from in 0..=bytes.len() {
        for to in from + 1..=bytes.len() {
            let mut frames = Frames::new(Want::Payload);
            let mut seen = Vec::new();
            let mut note = |piece: Piece<'_>| {
                seen.push(match piece {
                    Piece::Data(data) => Seen::Data(data.to_vec()),
                    Piece::Start { text, compressed } => Seen::Start(text, compressed),
                    Piece::Missing => Seen::Missing,
                    Piece::End => Seen::End,
                    Piece::Close => Seen::Close,
                });
                Want::Payload
            };
            frames.feed(&bytes[..from], &mut note);
            let skipped = frames.skip((to - from) as u64, &mut note);
            // Six bytes of header come before each payload.
            let is_payload = (6..=16).contains(&from) && to <= 16 || from >= 22;
            assert_eq!(skipped, is_payload, "{from}..{to}");
            if skipped && to <= 16 {
                frames.feed(&bytes[to..], &mut note);
                let expected = [
                    Seen::Start(true, false),
                    Seen::Data(b"next".to_vec()),
                    Seen::End,
                ];
                assert!(seen.ends_with(&expected), "{from}..{to}: {seen:?}");
                assert!(seen.contains(&Seen::Missing));
            }
        }
    }
}
