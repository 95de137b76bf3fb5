//! The filter, by an interpreter of its instructions.

use vigie_capture::filter::{Depth, MAX_PORTS, Port, RESPONSE_BYTES, program};

use crate::interpreter::captured;
use crate::wire::{ACK, FIN, RST, SYN, Seen, Tcp};

const PORT: u16 = 3000;

fn port(number: u16) -> Port {
    Port {
        number,
        interface: None,
    }
}

/// How many bytes are captured of a packet.
fn takes(depth: Depth, packet: &Seen) -> usize {
    captured(&program(&[port(PORT)], depth), packet)
}

fn client(payload: &[u8], flags: u8) -> Tcp<'_> {
    Tcp {
        from: "10.0.0.1:40000".parse().unwrap(),
        to: "10.0.0.2:3000".parse().unwrap(),
        sequence: 7,
        acknowledged: 9,
        flags,
        options: 12,
        payload,
    }
}

fn app(payload: &[u8], flags: u8) -> Tcp<'_> {
    let Tcp { from, to, .. } = client(payload, flags);
    Tcp {
        from: to,
        to: from,
        ..client(payload, flags)
    }
}

fn over_ipv6(tcp: Tcp<'_>) -> Tcp<'_> {
    let version6 =
        |address: std::net::SocketAddr| (format!("[fd00::1]:{}", address.port())).parse().unwrap();
    Tcp {
        from: version6(tcp.from),
        to: version6(tcp.to),
        ..tcp
    }
}

/// The same segment in IPv4, with IPv4 options, in IPv6, and with hop-by-hop options.
fn in_all_ways(tcp: &Tcp<'_>) -> Vec<(Vec<u8>, usize)> {
    let six = over_ipv6(tcp.clone());
    let tcp_header = 20 + tcp.options;
    vec![
        (tcp.packet(), 20 + tcp_header),
        (tcp.packet_with(12, None), 32 + tcp_header),
        (six.packet(), 40 + tcp_header),
        (six.packet_with(0, Some(8)), 48 + tcp_header),
        (six.packet_with(0, Some(16)), 56 + tcp_header),
    ]
}

#[test]
fn requests_are_captured_whole_and_responses_as_far_as_their_heads() {
    for length in [1, 4, 5, 600, 1024, 1025, 5000, 60_000, 250_000] {
        let payload = vec![b'x'; length];
        for ((request, headers), (response, _)) in in_all_ways(&client(&payload, ACK))
            .into_iter()
            .zip(in_all_ways(&app(&payload, ACK)))
        {
            let all = headers + length;
            let (request, response) = (Seen::received(request), Seen::received(response));
            assert_eq!(takes(Depth::Heads, &request), all);
            assert_eq!(takes(Depth::Whole, &request), all);
            assert_eq!(takes(Depth::Whole, &response), all);
            let cut = headers + length.min(RESPONSE_BYTES as usize);
            assert_eq!(takes(Depth::Heads, &response), cut, "{length}");
        }
    }
}

#[test]
fn the_end_of_a_chunked_body_is_captured() {
    for length in [0, 1, 3000, 100_000] {
        let payload = [&vec![b'x'; length][..], b"\r\n0\r\n\r\n"].concat();
        for (packet, headers) in in_all_ways(&app(&payload, ACK)) {
            let taken = takes(Depth::Heads, &Seen::received(packet));
            assert_eq!(taken, headers + payload.len());
        }
    }
    let payload = [&vec![b'x'; 3000][..], b"\r\n1\r\n\r\n"].concat();
    let taken = takes(Depth::Heads, &Seen::received(app(&payload, ACK).packet()));
    assert_eq!(taken, 52 + RESPONSE_BYTES as usize);
}

#[test]
fn padding_of_ethernet_is_no_payload() {
    for tcp in [client(b"", ACK), app(b"", ACK)] {
        let mut packet = tcp.packet();
        packet.extend([0; 6]);
        assert_eq!(takes(Depth::Heads, &Seen::received(packet)), 0);
    }
    // The last five bytes of the payload are compared, not those of the frame.
    let mut packet = app(&[&[b'x'; 3000][..], b"0\r\n\r\n"].concat(), ACK).packet();
    packet.extend([0; 4]);
    assert!(takes(Depth::Heads, &Seen::received(packet)) > 3000);
}

#[test]
fn segments_without_payload_are_captured_if_they_begin_or_end_something() {
    for depth in [Depth::Heads, Depth::Whole] {
        for tcp in [client, app] {
            for flags in [SYN, SYN | ACK, FIN | ACK, RST, RST | ACK] {
                for (packet, headers) in in_all_ways(&tcp(b"", flags)) {
                    assert_eq!(takes(depth, &Seen::received(packet)), headers);
                }
            }
            for (packet, _) in in_all_ways(&tcp(b"", ACK)) {
                assert_eq!(takes(depth, &Seen::received(packet)), 0);
            }
        }
    }
}

#[test]
fn loopback_shows_a_packet_once() {
    let shown = |direction, hardware| {
        let packet = Seen {
            direction,
            hardware,
            ..Seen::received(client(b"x", ACK).packet())
        };
        takes(Depth::Heads, &packet) > 0
    };
    assert!(shown(0, 772) && !shown(4, 772));
    assert!(shown(0, 1) && shown(4, 1));
}

#[test]
fn vlan_tags_that_the_kernel_has_added_do_not_matter() {
    for protocol in [0x8100, 0x88a8] {
        for bytes in [
            client(b"x", ACK).packet(),
            over_ipv6(client(b"x", ACK)).packet(),
        ] {
            let packet = Seen {
                protocol,
                direction: 4,
                ..Seen::received(bytes)
            };
            assert!(takes(Depth::Heads, &packet) > 0);
        }
    }
}

#[test]
fn other_packets_are_dropped() {
    let drops = |packet: &Seen| {
        assert_eq!(takes(Depth::Heads, packet), 0);
        assert_eq!(takes(Depth::Whole, packet), 0);
    };
    let base = client(b"x", ACK);
    // Other ports.
    drops(&Seen::received(
        Tcp {
            to: "10.0.0.2:3001".parse().unwrap(),
            ..base.clone()
        }
        .packet(),
    ));
    // UDP, a later fragment, ARP, MPLS that resembles IPv4.
    let mut packet = base.packet();
    packet[9] = 17;
    drops(&Seen::received(packet));
    let mut packet = base.packet();
    packet[7] = 5;
    drops(&Seen::received(packet));
    drops(&Seen {
        protocol: 0x0806,
        ..Seen::received(base.packet())
    });
    drops(&Seen {
        protocol: 0x8847,
        ..Seen::received(base.packet())
    });
    // UDP in IPv6, and behind hop-by-hop options.
    let mut packet = over_ipv6(base.clone()).packet();
    packet[6] = 17;
    drops(&Seen::received(packet));
    let mut packet = over_ipv6(base.clone()).packet_with(0, Some(8));
    packet[40] = 17;
    drops(&Seen::received(packet));
    // Neither IPv4 nor IPv6, and too short.
    let mut packet = base.packet();
    packet[0] = 0x55;
    drops(&Seen::received(packet));
    for length in 1..34 {
        drops(&Seen::received(base.packet()[..length].to_vec()));
    }
}

#[test]
fn ports_can_be_those_of_one_interface() {
    let ports = [
        Port {
            number: 3000,
            interface: Some(2),
        },
        Port {
            number: 3000,
            interface: Some(5),
        },
        port(4000),
    ];
    let shown = |to: u16, interface| {
        let to = std::net::SocketAddr::from(([10, 0, 0, 2], to));
        let packet = Tcp {
            to,
            ..client(b"x", ACK)
        }
        .packet();
        let packet = Seen {
            interface,
            ..Seen::received(packet)
        };
        captured(&program(&ports, Depth::Heads), &packet) > 0
    };
    assert!(shown(3000, 2) && shown(3000, 5) && !shown(3000, 3));
    assert!(shown(4000, 2) && shown(4000, 3));
    assert!(!shown(5000, 2));
}

#[test]
fn the_largest_program_works() {
    let ports: Vec<Port> = (0..MAX_PORTS as u16)
        .map(|n| Port {
            number: 3000 + n,
            interface: Some(2),
        })
        .collect();
    for depth in [Depth::Heads, Depth::Whole] {
        let program = program(&ports, depth);
        for n in 0..MAX_PORTS as u16 {
            let to = std::net::SocketAddr::from(([10, 0, 0, 2], 3000 + n));
            let packet = Tcp {
                to,
                ..client(b"x", ACK)
            }
            .packet();
            assert!(captured(&program, &Seen::received(packet)) > 0);
        }
    }
}
