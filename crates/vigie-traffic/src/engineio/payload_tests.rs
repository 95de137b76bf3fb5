#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::super::heartbeat::Ping;
use super::super::sessions::Sid;
use super::*;

fn scan<'a>(
    revision: Revision,
    wrapping: Wrapping,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Item> {
    let mut payload = Payload::new(revision, wrapping);
    let mut items = Vec::new();
    for piece in pieces {
        payload.feed(piece, |item| items.push(item));
        let kept = payload.packets.open.as_ref().map_or(0, Vec::len);
        assert!(kept <= MAX_BYTES + 1, "kept {kept} bytes");
    }
    payload.finish(|item| items.push(item));
    items
}

fn opened(sid: &str) -> Item {
    Item::Open(Open {
        sid: Sid::new(sid).unwrap(),
        ping: Some(Ping {
            interval: Duration::from_millis(25_000),
            timeout: Duration::from_millis(20_000),
        }),
    })
}

const OPEN: &str = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// The framing of revision 3 in binary.
fn binary(text: bool, packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(!text)];
    bytes.extend(packet.len().to_string().bytes().map(|digit| digit - b'0'));
    bytes.push(0xff);
    bytes.extend_from_slice(packet);
    bytes
}

#[test]
fn reads_every_framing_however_it_is_split() {
    use Item::{Bad, Packet};
    use Kind::{Close, Message, Noop, Ping, Pong, Upgrade};
    use Revision::{V3, V4};
    let open = || vec![Packet(Kind::Open), opened("lv_VI97HAXpY6yYWAAAC")];
    let packets = |kinds: &[Kind]| kinds.iter().map(|kind| Packet(*kind)).collect::<Vec<_>>();
    let script = |payload: &str| format!("___eio[0]({});", serde_json::to_string(payload).unwrap());
    let v3_open = format!("{}:{OPEN}2:40", OPEN.len());
    let cases: Vec<(Revision, Wrapping, Vec<u8>, Vec<Item>)> = vec![
        (V4, Wrapping::None, OPEN.into(), open()),
        (V4, Wrapping::None, "40".into(), packets(&[Message])),
        (
            V4,
            Wrapping::None,
            r#"40{"sid":"0{1}"}"#.into(),
            packets(&[Message]),
        ),
        (V4, Wrapping::None, "6".into(), packets(&[Noop])),
        (V4, Wrapping::None, "6\x1e1".into(), packets(&[Noop, Close])),
        (
            V4,
            Wrapping::None,
            "2\x1e3\x1e5\x1ebAQID/w==\x1e451-[1]".into(),
            packets(&[Ping, Pong, Upgrade, Message, Message]),
        ),
        (V4, Wrapping::None, "".into(), vec![Bad]),
        (V4, Wrapping::None, "3\x1e".into(), vec![Packet(Pong), Bad]),
        (
            V4,
            Wrapping::None,
            "3\x1e9\x1e1".into(),
            vec![Packet(Pong), Bad],
        ),
        (V4, Wrapping::None, "<html>".into(), vec![Bad]),
        (
            V4,
            Wrapping::None,
            "0{not json}\x1e6".into(),
            packets(&[Kind::Open, Noop]),
        ),
        (V4, Wrapping::Script, script(OPEN).into(), open()),
        (
            V4,
            Wrapping::Script,
            script("6\x1e1").into(),
            packets(&[Noop, Close]),
        ),
        (V4, Wrapping::Script, "6".into(), vec![Bad]),
        (
            V4,
            Wrapping::Form,
            "d=41%1E1".into(),
            packets(&[Message, Close]),
        ),
        (V4, Wrapping::Form, "x=1".into(), vec![]),
        (V4, Wrapping::Form, "d=".into(), vec![Bad]),
        (
            V3,
            Wrapping::None,
            v3_open.clone().into(),
            [open(), packets(&[Message])].concat(),
        ),
        (
            V3,
            Wrapping::Script,
            script(&v3_open).into(),
            [open(), packets(&[Message])].concat(),
        ),
        (
            V3,
            Wrapping::None,
            [
                binary(true, OPEN.as_bytes()),
                binary(false, &[4, 1, 2]),
                binary(true, b"1"),
            ]
            .concat(),
            [open(), packets(&[Message, Close])].concat(),
        ),
        (V3, Wrapping::None, "1:2".into(), packets(&[Ping])),
        (V3, Wrapping::None, "1:31:1".into(), packets(&[Pong, Close])),
        (
            V3,
            Wrapping::None,
            "6:b4AQL/1:6".into(),
            packets(&[Message, Noop]),
        ),
        // Lengths count UTF-16 units: é 1, 世 1, 😀 2.
        (
            V3,
            Wrapping::None,
            "6:4é世😀x1:1".into(),
            packets(&[Message, Close]),
        ),
        (
            V3,
            Wrapping::None,
            "3:4aé1:1".into(),
            packets(&[Message, Close]),
        ),
        (V3, Wrapping::None, "0:1:1".into(), packets(&[Close])),
        (V3, Wrapping::None, "".into(), vec![Bad]),
        (
            V3,
            Wrapping::None,
            "5:4a".into(),
            vec![Packet(Message), Bad],
        ),
        (V3, Wrapping::None, "4".into(), vec![Bad]),
        (V3, Wrapping::None, ":4".into(), vec![Bad]),
        (V3, Wrapping::None, "40{}".into(), vec![Bad]),
        (V3, Wrapping::None, "1:x1:1".into(), vec![Bad]),
        (
            V3,
            Wrapping::None,
            "99999999999999999999999:4".into(),
            vec![Bad],
        ),
        (V3, Wrapping::None, vec![0, 0xff], vec![Bad]),
        (
            V3,
            Wrapping::None,
            vec![0, 2, 0xff, b'4'],
            vec![Packet(Message), Bad],
        ),
        (
            V3,
            Wrapping::Form,
            "d=4%3A4%5Cnab1%3A1".into(),
            packets(&[Message, Close]),
        ),
    ];
    for (revision, wrapping, body, expected) in cases {
        let text = String::from_utf8_lossy(&body).into_owned();
        for at in 0..=body.len() {
            let (first, second) = body.split_at(at);
            let items = scan(revision, wrapping, [first, second]);
            assert_eq!(items, expected, "{text:?} in {revision:?} split at {at}");
        }
        assert_eq!(
            scan(revision, wrapping, body.chunks(1)),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn a_long_open_packet_is_not_kept() {
    let body = format!(r#"0{{"sid":"a","x":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(
        scan(Revision::V4, Wrapping::None, [body.as_bytes()]),
        [Item::Packet(Kind::Open)]
    );
}

proptest! {
    #[test]
    fn never_panics_and_does_not_mind_splits(
        body in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(&b"0123456b:\x1e\x00\x01\xff{\"d=%\\n"[..])], 0..200),
        chunk in 1usize..20,
    ) {
        for revision in [Revision::V3, Revision::V4] {
            for wrapping in [Wrapping::None, Wrapping::Script, Wrapping::Form] {
                let whole = scan(revision, wrapping, [&*body]);
                prop_assert_eq!(&scan(revision, wrapping, body.chunks(chunk)), &whole);
                prop_assert!(whole.iter().filter(|item| **item == Item::Bad).count() <= 1);
            }
        }
    }

    #[test]
    fn revision_3_agrees_with_its_encoding(packets in prop::collection::vec("[0-6]\\PC{0,20}", 1..6)) {
        let kinds: Vec<_> = packets.iter()
            .map(|packet| Item::Packet(Kind::from_digit(packet.as_bytes()[0]).unwrap())).collect();
        let text: String = packets.iter()
            .map(|packet| format!("{}:{packet}", packet.encode_utf16().count())).collect();
        let bytes: Vec<u8> = packets.iter().flat_map(|packet| binary(true, packet.as_bytes())).collect();
        for body in [text.as_bytes(), &bytes] {
            let mut items = scan(Revision::V3, Wrapping::None, [body]);
            items.retain(|item| !matches!(item, Item::Open(_)));
            prop_assert_eq!(&items, &kinds);
        }
    }
}
