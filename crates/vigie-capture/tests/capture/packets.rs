//! The headers of packets.

use proptest::prelude::*;
use vigie_capture::packet::Segment;

use crate::wire::{ACK, FIN, Tcp};

fn tcp<'a>(six: bool, payload: &'a [u8]) -> Tcp<'a> {
    let address = |last: u8, port: u16| match six {
        true => format!("[fd00::{last}]:{port}").parse().unwrap(),
        false => format!("10.0.0.{last}:{port}").parse().unwrap(),
    };
    Tcp {
        from: address(1, 40_000),
        to: address(2, 3000),
        sequence: 0xffff_fff0,
        acknowledged: 12,
        flags: ACK | FIN,
        options: 20,
        payload,
    }
}

#[test]
fn a_segment_is_read_in_every_kind_of_packet() {
    for length in [0, 1, 1400, 250_000] {
        let payload = vec![7; length];
        for (six, options4, hops) in [
            (false, 0, None),
            (false, 40, None),
            (true, 0, None),
            (true, 0, Some(8)),
            (true, 0, Some(24)),
        ] {
            let tcp = tcp(six, &payload);
            let packet = tcp.packet_with(options4, hops);
            let segment = Segment::parse(&packet, packet.len()).unwrap();
            assert_eq!((segment.source, segment.destination), (tcp.from, tcp.to));
            assert_eq!(
                (segment.sequence, segment.acknowledged),
                (0xffff_fff0, Some(12))
            );
            assert_eq!(
                (segment.syn, segment.fin, segment.rst),
                (false, true, false)
            );
            assert_eq!(segment.payload, payload);
            assert_eq!(segment.length as usize, length);
            // Cut by the filter, in the payload.
            let cut = packet.len() - length / 2;
            let segment = Segment::parse(&packet[..cut], packet.len()).unwrap();
            assert_eq!(segment.payload.len(), length - length / 2);
            assert_eq!(segment.length as usize, length);
        }
    }
}

#[test]
fn padding_is_no_payload() {
    let packet = [tcp(false, b"abc").packet(), vec![0; 8]].concat();
    let segment = Segment::parse(&packet, packet.len()).unwrap();
    assert_eq!((segment.payload, segment.length), (&b"abc"[..], 3));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), first in any::<bool>(), wire in 0usize..600_000) {
        if let Some(version) = bytes.first_mut() {
            *version = if first { 0x45 } else { 0x60 };
        }
        if let Some(segment) = Segment::parse(&bytes, wire) {
            prop_assert!(segment.payload.len() <= bytes.len());
            prop_assert!(segment.payload.len() <= segment.length as usize);
        }
    }
}
