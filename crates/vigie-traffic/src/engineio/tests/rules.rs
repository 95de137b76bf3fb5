//! What opens a session, what ends one, and what does neither.

use super::*;

#[test]
fn what_opens_no_session() {
    ends(|wire| {
        wire.get(POLL, 400, r#"{"code":0,"message":"Transport unknown"}"#);
        wire.get(POLL, 403, r#"{"code":4,"message":"no"}"#);
        wire.get(POLL, 200, "<html>hello</html>");
        wire.get(POLL, 200, "");
        wire.get(POLL, 404, OPEN);
        wire.get(POLL, 200, "40");
        wire.post(
            POLL,
            OPEN,
            400,
            r#"{"code":2,"message":"Bad handshake method"}"#,
        );
        wire.post(POLL, "", 200, OPEN);
        for method in ["HEAD", "OPTIONS", "PUT", "DELETE"] {
            let (_, response) = wire.begin(method, POLL);
            wire.answer(response, 200, None, OPEN.as_bytes());
        }
        let none = wire
            .engineio
            .exchange(wire.now(), "GET", "/socket.io/", b"");
        assert!(none.is_none());
        assert!(
            wire.begin_on("/socket.io/", "GET", "page=2&sid=S")
                .is_none()
        );
    });
}

#[test]
fn an_upgrade_that_fails_leaves_the_session_polling() {
    lives(|wire| wire.ws(WS_OF_S).end(wire.now()));
    lives(|wire| {
        let mut tunnel = wire.ws(WS_OF_S);
        wire.client(&mut tunnel, 0x81, b"2probe");
        wire.server(&mut tunnel, 0x88, b"");
        // upgradeTimeout passed; a crossing `5` comes too late.
        wire.client(&mut tunnel, 0x81, b"5");
        tunnel.end(wire.now());
    });
    for (flags, wrong) in [
        (0x81, &b"2probf"[..]),
        (0x81, b"40"),
        (0x81, b""),
        (0x82, b"5"),
        (0x81, b"2probe2probe"),
        (0x88, b""),
    ] {
        lives(|wire| {
            let mut tunnel = wire.ws(WS_OF_S);
            wire.client(&mut tunnel, flags, wrong);
            wire.client(&mut tunnel, 0x81, b"5");
        });
    }
    // It may try again, and `5` is enough.
    however_cut(|wire| {
        wire.open();
        wire.ws(WS_OF_S).end(wire.now());
        let mut tunnel = wire.ws(WS_OF_S);
        wire.client(&mut tunnel, 0x89, b"ping");
        wire.client(&mut tunnel, 0x81, b"5");
        assert_eq!(wire.counts(), (0, 1));
    });
}

#[test]
fn a_second_websocket_has_no_effect() {
    however_cut(|wire| {
        let mut first = wire.upgraded();
        let mut second = wire.ws(WS_OF_S);
        wire.client(&mut second, 0x81, b"5");
        wire.server(&mut second, 0x88, b"");
        second.end(wire.now());
        assert_eq!(wire.counts(), (0, 1));
        first.end(wire.now());
        assert_eq!(wire.counts(), (0, 0));
    });
}

#[test]
fn polls_that_are_broken_off() {
    ends(|wire| {
        wire.open();
        let (mut request, mut response) = wire.begin("GET", OF_S);
        request.end();
        request.left_at(wire.now());
        assert_eq!(wire.counts(), (1, 0));
        response.left_at(wire.now());
    });
    ends(|wire| {
        wire.open();
        let (mut request, _response) = wire.begin("POST", OF_S);
        request.chunk(b"4");
        request.left_at(wire.now());
        assert_eq!(wire.counts(), (0, 0));
    });
    // A page that is left sends its last POST and does not wait.
    ends(|wire| {
        wire.open();
        let (mut request, response) = wire.begin("POST", OF_S);
        request.chunk(b"1");
        request.end();
        wire.leave((request, response));
    });
    lives(|wire| {
        let (mut request, response) = wire.begin("POST", OF_S);
        request.chunk(b"4x");
        request.end();
        wire.leave((request, response));
    });
    // The server had answered when the client left.
    lives(|wire| {
        let (mut request, mut response) = wire.begin("GET", OF_S);
        request.end();
        response.head(200, None);
        response.chunk(wire.now(), b"4half");
        wire.leave((request, response));
    });
    // The upgraded session's last poll, and one of nobody's.
    however_cut(|wire| {
        let _tunnel = wire.upgraded();
        wire.leave(wire.begin("GET", OF_S));
        wire.leave(wire.begin("GET", "EIO=4&transport=polling&sid=other"));
        wire.leave(wire.begin("GET", POLL));
        assert_eq!(wire.counts(), (0, 1));
    });
}

#[test]
fn posts_that_end_a_session() {
    for body in ["1", "2", "", "x", "4a\x1e", "4a\x1e1", "40\x1e9"] {
        ends(|wire| {
            wire.open();
            wire.post(OF_S, body, 200, "ok");
        });
    }
    for body in ["1:3", "1:1", "", "nonsense", "5:4"] {
        ends(|wire| {
            wire.get(
                "EIO=3&transport=polling",
                200,
                &format!("{}:{OPEN}", OPEN.len()),
            );
            assert_eq!(wire.counts(), (1, 0));
            wire.post("EIO=3&transport=polling&sid=S", body, 200, "ok");
        });
    }
    // Two at once.
    ends(|wire| {
        wire.open();
        wire.post(OF_S, "4a", 400, "");
    });
    ends(|wire| {
        wire.open();
        wire.get(OF_S, 400, "");
    });
}

#[test]
fn what_does_not_end_a_session() {
    lives(|wire| {
        wire.post(OF_S, "1", 413, "");
        wire.get(OF_S, 400, r#"{"code":3,"message":"Bad request"}"#);
        wire.get(
            "EIO=3&transport=polling&sid=S",
            400,
            r#"{"code":3,"message":"Bad request"}"#,
        );
        wire.get(OF_S, 502, "1");
        wire.post(OF_S, "4b\x1ebAQ==\x1e5\x1e6\x1e0", 200, "ok");
        for method in ["PUT", "DELETE", "HEAD"] {
            let (_, response) = wire.begin(method, OF_S);
            wire.answer(response, 500, None, b"");
        }
        // Cut by the server's 413.
        let (mut request, mut response) = wire.begin("POST", OF_S);
        request.chunk(b"4long");
        response.head(413, None);
        wire.leave((request, response));
    });
}

#[test]
fn an_unknown_session_is_authoritative_whatever_carries_it() {
    ends(|wire| {
        wire.upgraded().end(wire.now());
    });
    ends(|wire| {
        let _tunnel = wire.upgraded();
        wire.get(OF_S, 400, UNKNOWN);
    });
    ends(|wire| {
        wire.open();
        wire.get(WS_OF_S, 400, "Session ID unknown");
    });
}

#[test]
fn silence_ends_a_session_when_the_server_gives_it_up() {
    ends(|wire| {
        wire.open();
        wire.at(900);
        wire.get(OF_S, 200, "4x");
        wire.at(1_500);
        wire.post(OF_S, "4x", 200, "ok");
        wire.at(2_299);
        assert_eq!(wire.counts(), (1, 0));
        wire.at(2_300);
    });
}

#[test]
fn sessions_from_before_the_gateway_are_adopted() {
    however_cut(|wire| {
        wire.get(OF_S, 200, "2");
        assert_eq!(wire.counts(), (1, 0));
        wire.post("EIO=4&transport=polling&sid=T", "3", 200, "ok");
        assert_eq!(wire.counts(), (2, 0));
        let mut tunnel = wire.ws("EIO=4&transport=websocket&sid=U");
        wire.client(&mut tunnel, 0x81, b"5");
        assert_eq!(wire.counts(), (2, 1));
        // Not engine.io's answers, or the end of what was not known.
        for body in ["<html>", "", "[1]", "6\x1e1"] {
            wire.get("EIO=4&transport=polling&sid=V", 200, body);
        }
        wire.post("EIO=4&transport=polling&sid=V", "4", 200, "created");
        wire.get("EIO=4&transport=polling&sid=V", 404, "6");
        assert_eq!(wire.counts(), (2, 1));
    });
}

#[test]
fn a_late_answer_reopens_nothing() {
    ends(|wire| {
        wire.open();
        let (mut request, late) = wire.begin("GET", OF_S);
        request.end();
        wire.post(OF_S, "1", 200, "ok");
        wire.answer(late, 200, None, b"4x");
        wire.get(OF_S, 200, "6");
        wire.post(OF_S, "4x", 200, "ok");
    });
}

#[test]
fn tells_the_proxy_what_is_not_engine_io() {
    let judged = |method: &str, query: &str, status: u16, body: &[u8]| {
        let wire = Wire::new(1);
        let (_request, mut tap) = wire.begin(method, query);
        assert!(tap.is_engine_io(), "by its query");
        tap.head(status, None);
        let by_head = tap.is_engine_io();
        tap.chunk(wire.now(), body);
        (by_head, tap.is_engine_io())
    };
    assert_eq!(judged("GET", POLL, 200, OPEN.as_bytes()), (true, true));
    assert_eq!(judged("GET", POLL, 200, b"<html>"), (true, false));
    assert_eq!(judged("GET", POLL, 404, b"Cannot GET /"), (false, false));
    assert_eq!(judged("GET", POLL, 502, b""), (false, false));
    assert_eq!(judged("GET", OF_S, 400, UNKNOWN.as_bytes()), (true, true));
    assert_eq!(judged("GET", OF_S, 400, b"bad page number"), (true, false));
    assert_eq!(judged("POST", OF_S, 200, b"ok"), (true, true));
    assert_eq!(judged("POST", OF_S, 200, b"o"), (true, true));
    assert_eq!(judged("POST", OF_S, 200, b"{\"id\":1}"), (true, false));
    assert_eq!(judged("OPTIONS", OF_S, 204, b""), (true, true));
}

#[test]
fn a_tap_is_small() {
    assert!(
        size_of::<Option<ResponseTap>>() <= 72,
        "ordinary requests carry room for one"
    );
    assert!(size_of::<Option<RequestTap>>() <= 40);
}

#[test]
fn a_path_is_learned_from_the_apps_handshake_only() {
    however_cut(|wire| {
        // No path, no session: whatever clients send and ordinary routes answer.
        assert!(wire.begin_on("/api", "GET", OF_S).is_none());
        assert!(wire.begin_on("/api", "POST", OF_S).is_none());
        for (method, status, body) in [
            ("GET", 200, "40"),
            ("GET", 200, "<html>"),
            ("GET", 204, ""),
            ("GET", 400, UNKNOWN),
            ("POST", 200, "ok"),
            ("GET", 404, OPEN),
        ] {
            let (_, mut response) = wire.begin_on("/api", method, POLL).unwrap();
            response.head(status, None);
            response.chunk(wire.now(), body.as_bytes());
            response.end(wire.now());
            assert!(!response.is_engine_io(), "{method} {status} {body}");
        }
        // An endpoint that echoes a header or the query.
        let echoed = r#"0{"sid":"EIO=4","pingInterval":1,"pingTimeout":1}"#;
        let (_, mut response) = wire.begin_on("/api", "GET", POLL).unwrap();
        response.head(200, None);
        response.chunk(wire.now(), echoed.as_bytes());
        response.end(wire.now());
        assert!(!response.is_engine_io());
        assert_eq!(wire.counts(), (0, 0));
        assert!(wire.begin_on("/api", "GET", OF_S).is_none());

        let (_, mut response) = wire.begin_on("/game/", "GET", POLL).unwrap();
        response.head(200, None);
        response.chunk(wire.now(), OPEN.as_bytes());
        response.end(wire.now());
        assert!(response.is_engine_io());
        assert_eq!(wire.counts(), (1, 0));
        assert!(wire.begin_on("/game/", "GET", OF_S).is_some());
        let (_, response) = wire.begin_on("/game/", "GET", POLL).unwrap();
        assert!(response.is_engine_io(), "by its path");
    });
}

#[test]
fn a_websocket_handshake_teaches_its_path_too() {
    however_cut(|wire| {
        for (first, learned) in [("hello", false), (OPEN, true)] {
            let (_, mut response) = wire.begin_on("/game/", "GET", WS).unwrap();
            response.head(101, None);
            assert!(!response.is_engine_io());
            let mut tunnel = response.upgraded(wire.now());
            assert!(tunnel.is_undecided());
            wire.server(&mut tunnel, 0x81, first.as_bytes());
            assert!(!tunnel.is_undecided());
            assert_eq!(tunnel.is_engine_io(), learned);
            assert_eq!(wire.counts(), (0, usize::from(learned)));
            tunnel.end(wire.now());
        }
        assert!(wire.begin_on("/game/", "GET", OF_S).is_some());
    });
}

#[test]
fn no_open_packet_makes_a_session_that_lasts() {
    ends(|wire| {
        let huge = OPEN.replace("1000,", "18446744073709551615,");
        wire.get(POLL, 200, &huge);
        assert_eq!(wire.counts(), (1, 0));
        wire.at(2 * 3600 * 1_000);
    });
}

#[test]
fn a_session_whose_websocket_has_missing_bytes_is_forgotten() {
    however_cut(|wire| {
        let mut tunnel = wire.upgraded();
        wire.server(&mut tunnel, 0x81, b"4");
        tunnel.server_gap(wire.now(), 3);
        assert_eq!(wire.counts(), (0, 0), "they may have been a Close frame");
        assert!(
            wire.registry
                .expose(Format::Text)
                .contains("forgotten_total 1\n")
        );
        tunnel.end(wire.now());

        // A later poll or an upgrade proves that it is open.
        wire.at(5_000);
        wire.get(OF_S, 200, "4x");
        assert_eq!(wire.counts(), (1, 0));
    });
    however_cut(|wire| {
        let mut tunnel = wire.upgraded();
        // The beginning of a long frame, whose payload is not needed.
        tunnel.from_server(wire.now(), &[0x82, 126, 0x10, 0x00]);
        tunnel.server_gap(wire.now(), 0x1000);
        assert_eq!(wire.counts(), (0, 1));
        wire.server(&mut tunnel, 0x88, b"");
        assert_eq!(wire.counts(), (0, 0));
    });
    however_cut(|wire| {
        let mut tunnel = wire.upgraded();
        tunnel.abandon(wire.now());
        assert_eq!(wire.counts(), (0, 0));
    });
}

#[test]
fn nothing_is_concluded_from_bodies_with_missing_bytes() {
    lives(|wire| {
        let (mut request, mut response) = wire.begin("GET", OF_S);
        request.end();
        response.head(200, None);
        response.chunk(wire.now(), b"4");
        response.gap(wire.now(), 5);
        response.chunk(wire.now(), b"\x1e1");
        assert!(response.is_engine_io());
        response.end(wire.now());

        let (mut request, response) = wire.begin("POST", OF_S);
        request.chunk(b"4x");
        request.gap(3);
        request.chunk(b"\x1e1");
        request.end();
        wire.answer(response, 200, None, b"ok");
    });
}
