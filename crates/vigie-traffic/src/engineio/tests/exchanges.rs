//! What clients and servers really exchange.

use super::*;

#[test]
fn polling_then_websocket_then_the_client_closes() {
    ends(|wire| {
        let mut tunnel = wire.upgraded();
        wire.server(&mut tunnel, 0x81, b"2");
        wire.client(&mut tunnel, 0x81, b"3");
        wire.at(1_000_000);
        assert_eq!(wire.counts(), (0, 1));
        wire.client(&mut tunnel, 0x81, b"41");
        wire.client(&mut tunnel, 0x88, b"");
        assert_eq!(wire.counts(), (0, 1), "the server has not answered yet");
        wire.server(&mut tunnel, 0x88, b"");
        assert_eq!(wire.counts(), (0, 0));
        wire.get(OF_S, 200, "6");
    });
}

#[test]
fn websocket_only() {
    ends(|wire| {
        let mut tunnel = wire.ws(WS);
        assert_eq!(wire.counts(), (0, 0), "101 alone is nothing");
        wire.server(&mut tunnel, 0x81, OPEN.as_bytes());
        assert_eq!(wire.counts(), (0, 1));
        wire.client(&mut tunnel, 0x81, b"40");
        wire.server(&mut tunnel, 0x81, br#"40{"sid":"x"}"#);
        // The peer is frozen: a Close frame, and the connection stays.
        wire.server(&mut tunnel, 0x88, b"\x03\xe8");
        assert_eq!(wire.counts(), (0, 0));
    });
    ends(|wire| {
        let mut tunnel = wire.ws(WS);
        wire.server(&mut tunnel, 0x81, OPEN.as_bytes());
        tunnel.end(wire.now());
        assert_eq!(wire.counts(), (0, 0));
    });
    ends(|wire| {
        let mut tunnel = wire.ws(WS);
        wire.server(&mut tunnel, 0x81, OPEN.as_bytes());
        tunnel.end(wire.now());
    });
    // In fragments, with a ping between them.
    ends(|wire| {
        let mut tunnel = wire.ws("EIO=3&transport=websocket");
        wire.server(&mut tunnel, 0x01, &OPEN.as_bytes()[..20]);
        wire.server(&mut tunnel, 0x89, b"");
        wire.server(&mut tunnel, 0x80, &OPEN.as_bytes()[20..]);
        assert_eq!(wire.counts(), (0, 1));
        tunnel.end(wire.now());
    });
}

#[test]
fn a_refused_websocket_is_none() {
    ends(|wire| {
        let mut tunnel = wire.ws("EIO=3&transport=websocket");
        let text =
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nUnsupported protocol version";
        text.chunks(wire.piece)
            .for_each(|piece| tunnel.from_server(wire.now(), piece));
        assert_eq!(wire.counts(), (0, 0));
    });
    // Another protocol of the app's, whose second message looks like an open packet.
    ends(|wire| {
        let mut tunnel = wire.ws(WS);
        wire.server(&mut tunnel, 0x81, b"hello");
        wire.server(&mut tunnel, 0x81, OPEN.as_bytes());
        assert_eq!(wire.counts(), (0, 0));
    });
    // A message that is too long to be one.
    ends(|wire| {
        let mut tunnel = wire.ws(WS);
        for flags in [0x01].into_iter().chain([0x00; 20]) {
            wire.server(&mut tunnel, flags, &[b'0'; 120]);
        }
        wire.server(&mut tunnel, 0x80, b"");
        wire.server(&mut tunnel, 0x81, OPEN.as_bytes());
        assert_eq!(wire.counts(), (0, 0));
    });
    ends(|wire| wire.get(WS, 400, "Transport unknown"));
}

#[test]
fn polling_only_until_the_client_closes() {
    ends(|wire| {
        wire.open();
        wire.post(OF_S, "40", 200, "ok");
        wire.get(OF_S, 200, r#"40{"sid":"x"}"#);
        wire.at(1_000);
        wire.get(OF_S, 200, "2");
        wire.post(OF_S, "3", 200, "ok");
        wire.at(2_700);
        assert_eq!(wire.counts(), (1, 0), "the pong moved the deadline");
        let (mut request, response) = wire.begin("GET", OF_S);
        request.end();
        wire.post(OF_S, "41", 200, "ok");
        wire.post(OF_S, "1", 200, "ok");
        assert_eq!(wire.counts(), (0, 0));
        wire.answer(response, 200, None, b"6");
    });
}

#[test]
fn the_server_disconnects_a_polling_client() {
    ends(|wire| {
        wire.open();
        wire.get(OF_S, 200, "6\x1e1");
        assert_eq!(wire.counts(), (0, 0));
        wire.post(OF_S, "1", 400, UNKNOWN);
    });
}

#[test]
fn revision_3_in_all_its_framings() {
    let text = format!("{}:{OPEN}2:40", OPEN.len());
    let mut binary = vec![0];
    binary.extend(OPEN.len().to_string().bytes().map(|digit| digit - b'0'));
    binary.push(0xff);
    binary.extend(OPEN.bytes());
    let script = format!("___eio[3]({});", serde_json::to_string(&text).unwrap());
    let poll = "EIO=3&transport=polling";
    ends(|wire| {
        for (query, body) in [
            (poll.to_owned(), text.as_bytes()),
            (poll.into(), &binary),
            (format!("{poll}&j=3"), script.as_bytes()),
        ] {
            let (mut request, response) = wire.begin("GET", &query);
            request.end();
            wire.answer(response, 200, None, body);
            assert_eq!(wire.counts(), (1, 0));
            let start = wire.millis.load(Relaxed);
            wire.at(start + 1_700);
            wire.post("EIO=3&transport=polling&sid=S", "1:2", 200, "ok");
            wire.at(start + 3_400);
            assert_eq!(wire.counts(), (1, 0));
            wire.post("EIO=3&transport=polling&sid=S&j=3", "d=1%3A1", 200, "ok");
            assert_eq!(wire.counts(), (0, 0));
        }
        wire.get(
            poll,
            400,
            r#"{"code":5,"message":"Unsupported protocol version"}"#,
        );
    });
}
