//! Requests and connections that are counted from undamaged packets.

use vigie_capture::filter::Depth;
use vigie_capture::{Limits, Protocol, Sides};
use vigie_traffic::Side;

use crate::talk::{Body, Exchange, Talk, Watched, truth};
use crate::wire::{ACK, RST, SYN};

fn get(code: u16, body: Body) -> Exchange {
    Exchange {
        method: "GET",
        code,
        sent: 0,
        body,
    }
}

fn exchanges() -> Vec<Exchange> {
    vec![
        get(200, Body::Length(5)),
        get(201, Body::Chunked(5)),
        Exchange {
            method: "POST",
            code: 200,
            sent: 9000,
            body: Body::Length(70_000),
        },
        Exchange {
            method: "HEAD",
            code: 200,
            sent: 0,
            body: Body::Length(70_000),
        },
        get(204, Body::Length(0)),
        get(304, Body::Length(0)),
        get(500, Body::Chunked(70_000)),
        Exchange {
            method: "DELETE",
            code: 503,
            sent: 0,
            body: Body::Length(0),
        },
        get(200, Body::Chunked(0)),
    ]
}

#[test]
fn every_exchange_is_counted_at_every_size_of_segments() {
    for depth in [Depth::Heads, Depth::Whole] {
        for segment in [1, 7, 100, 1448, 65_000] {
            let mut talk = Talk::new(segment as u16, segment);
            talk.open();
            for exchange in &exchanges() {
                talk.exchange(exchange);
            }
            talk.close(Side::Client);
            let mut watched = Watched::new(depth);
            watched.see_all(&talk.packets);
            assert_eq!(
                watched.requests(),
                truth(exchanges().iter()),
                "{segment} {depth:?}"
            );
            let counts = watched.capture.counts();
            assert_eq!(
                (counts.opened, counts.found, counts.known, counts.abandoned),
                (1, 0, 9, 0)
            );
            assert_eq!(
                (counts.unseen, counts.repeated),
                (Sides::default(), Sides::default())
            );
            assert_eq!(counts.responses, 9);
            assert_eq!(watched.capture.connections(), 0);
            let sent = exchanges()
                .iter()
                .map(|exchange| exchange.request().len() as u64)
                .sum();
            let received = exchanges()
                .iter()
                .map(|exchange| exchange.response().len() as u64)
                .sum();
            assert_eq!(
                counts.bytes,
                Sides {
                    client: sent,
                    app: received
                }
            );
        }
    }
}

#[test]
fn pipelined_requests_are_counted() {
    let mut talk = Talk::new(1, 1448);
    talk.open();
    let requests: Vec<u8> = exchanges().iter().flat_map(Exchange::request).collect();
    talk.send(Side::Client, &requests);
    let responses: Vec<u8> = exchanges().iter().flat_map(Exchange::response).collect();
    talk.send(Side::App, &responses);
    talk.close(Side::App);
    let mut watched = Watched::new(Depth::Whole);
    watched.see_all(&talk.packets);
    assert_eq!(watched.requests(), truth(exchanges().iter()));
}

#[test]
fn clients_that_leave_and_apps_that_break_off_are_told_apart() {
    let mut watched = Watched::new(Depth::Heads);
    let slow = get(200, Body::Length(10));
    for (number, by) in [(0, Side::Client), (1, Side::App)] {
        for reset in [true, false] {
            let mut talk = Talk::new(number + 2 * u16::from(reset), 1448);
            talk.open();
            talk.send(Side::Client, &slow.request());
            match reset {
                true => talk.reset(by),
                false => talk.close(by),
            }
            watched.see_all(&talk.packets);
        }
    }
    let series = |code: &str| (("GET".to_owned(), "/c200".to_owned(), code.to_owned()), 2);
    let requests = watched.requests();
    assert_eq!(requests, [series("499"), series("502")].into());
    assert_eq!(watched.capture.counts().reset, Sides { client: 1, app: 1 });
}

#[test]
fn a_refused_connection_is_counted() {
    let mut talk = Talk::new(4, 1448);
    talk.packet(Side::Client, SYN, b"");
    talk.packet(Side::App, RST | ACK, b"");
    let mut watched = Watched::new(Depth::Heads);
    watched.see_all(&talk.packets);
    let counts = watched.capture.counts();
    assert_eq!(
        (counts.refused, counts.reset, counts.opened),
        (1, Sides::default(), 1)
    );
    assert_eq!(watched.capture.connections(), 0);
}

#[test]
fn an_open_connection_is_joined_at_a_request() {
    let all = exchanges();
    for skipped in 0..all.len() - 1 {
        let mut talk = Talk::new(3, 1448);
        talk.open();
        for exchange in &all[..skipped] {
            talk.exchange(exchange);
        }
        talk.packets.clear();
        for exchange in &all[skipped..] {
            talk.exchange(exchange);
        }
        let mut watched = Watched::new(Depth::Heads);
        watched.see_all(&talk.packets);
        // The first segment could be within an upload.
        assert_eq!(watched.requests(), truth(all[skipped + 1..].iter()));
        let counts = watched.capture.counts();
        assert_eq!((counts.found, counts.abandoned), (1, 0));
        assert!(counts.joined > 0);
        assert_eq!(counts.unseen, Sides::default());
    }
}

#[test]
fn a_connection_is_not_joined_within_an_upload_that_resembles_requests() {
    let upload = Exchange {
        method: "POST",
        code: 200,
        sent: 9000,
        body: Body::Length(5),
    };
    let mut talk = Talk::new(3, 1448);
    talk.open();
    let request = upload.request();
    talk.send(Side::Client, &request[..200]);
    talk.packets.clear();
    // Every captured segment begins as a request does.
    for _ in 0..10 {
        talk.send(Side::Client, b"GET /c503 HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    talk.send(Side::App, &upload.response());
    talk.exchange(&get(201, Body::Length(3)));
    let mut watched = Watched::new(Depth::Heads);
    watched.see_all(&talk.packets);
    assert_eq!(
        watched.requests(),
        truth([get(201, Body::Length(3))].iter())
    );
}

#[test]
fn the_first_interface_of_a_connection_counts() {
    let mut talk = Talk::new(8, 1448);
    talk.open();
    for exchange in &exchanges() {
        talk.exchange(exchange);
    }
    let mut watched = Watched::new(Depth::Heads);
    for packet in &talk.packets {
        watched.see_on(7, packet);
        watched.see_on(8, packet);
    }
    assert_eq!(watched.requests(), truth(exchanges().iter()));
    let counts = watched.capture.counts();
    assert_eq!(counts.repeated, Sides::default());
    assert!(counts.elsewhere > 0);
}

#[test]
fn addresses_are_used_again() {
    let mut watched = Watched::new(Depth::Heads);
    let mut expected = Vec::new();
    for _ in 0..3 {
        // The end of the connection is not captured.
        let mut talk = Talk::new(8, 1448);
        talk.open();
        talk.exchange(&get(200, Body::Length(3)));
        expected.push(get(200, Body::Length(3)));
        let mut packets = talk.packets;
        // Another initial number.
        let number: [u8; 4] = packets[0][24..28].try_into().unwrap();
        let shift = (expected.len() as u32) << 20;
        for (n, packet) in packets.iter_mut().enumerate() {
            let at = if n == 1 || n > 3 { 28 } else { 24 };
            let old = u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
            packet[at..at + 4].copy_from_slice(&old.wrapping_add(shift).to_be_bytes());
        }
        assert_ne!(number, packets[0][24..28]);
        watched.see_all(&packets);
    }
    assert_eq!(watched.requests(), truth(expected.iter()));
    assert_eq!(watched.capture.connections(), 1);
}

#[test]
fn what_is_not_http_is_named() {
    let mut watched = Watched::new(Depth::Heads);
    let firsts: [&[u8]; 4] = [
        &[0x16, 3, 1, 0, 200, 1, 0, 0, 196],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x10\x20MQTT",
        b"",
    ];
    for (number, first) in firsts.into_iter().enumerate() {
        let mut talk = Talk::new(number as u16, 1448);
        talk.open();
        talk.send(Side::Client, first);
        watched.see_all(&talk.packets);
    }
    // A WebSocket older than the capture.
    let mut talk = Talk::new(9, 1448);
    talk.open();
    talk.packets.clear();
    talk.send(Side::App, b"\x81\x012");
    talk.send(Side::Client, &[0x81, 0x81, 1, 2, 3, 4, 50]);
    watched.see_all(&talk.packets);
    let census = watched.capture.census();
    let number = |protocol: Protocol| census[protocol as usize];
    assert_eq!(number(Protocol::Tls), 1);
    assert_eq!(number(Protocol::Http2), 1);
    assert_eq!(number(Protocol::Other), 1);
    assert_eq!(number(Protocol::Unknown), 1);
    assert_eq!(number(Protocol::WebSocket), 1);
    assert!(watched.requests().is_empty());
}

#[test]
fn the_table_is_bounded_and_idle_connections_are_forgotten() {
    let limits = Limits {
        connections: 10,
        ..Limits::default()
    };
    let mut watched = Watched::with_limits(Depth::Heads, limits);
    for number in 0..20 {
        let mut talk = Talk::new(number, 1448);
        talk.open();
        talk.send(Side::Client, &get(200, Body::Length(3)).request());
        watched.see_all(&talk.packets);
    }
    assert_eq!(watched.capture.connections(), 10);
    assert!(watched.capture.counts().untracked >= 10);
    watched.end();
    assert_eq!(watched.capture.connections(), 0);
    assert_eq!(watched.capture.counts().abandoned, 10);
    assert_eq!(watched.value("vigie_requests_abandoned_total"), Some(10.0));
    assert!(watched.requests().is_empty());
}

#[test]
fn an_engine_io_request_is_noticed() {
    let mut watched = Watched::new(Depth::Heads);
    let mut talk = Talk::new(2, 1448);
    talk.open();
    talk.exchange(&get(200, Body::Length(3)));
    watched.see_all(&talk.packets);
    assert!(!watched.capture.saw_engineio());
    talk.packets.clear();
    talk.send(
        Side::Client,
        b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    watched.see_all(&talk.packets);
    assert!(watched.capture.saw_engineio());
}
