//! Targets are encoded, and nothing else.

#![allow(clippy::unwrap_used)]
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::requests::Requests;

fn encoded(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut requests, mut out) = (Requests::default(), Vec::new());
    for piece in pieces {
        requests.encode(piece, &mut out);
    }
    out
}

/// A request, and the request that hyper should read.
fn request() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let targets = prop::collection::vec(
        prop::sample::select(vec![
            "a", "/", "?q=", "%22", "{", "}", "\"", "|", "é", "#", "\\",
        ]),
        0..8,
    );
    let body = prop_oneof![
        Just((String::new(), Vec::new())),
        "[ {}\"\r\nA-Z]{0,40}".prop_map(|body| {
            (
                format!("content-LENGTH:  {} \r\n", body.len()),
                body.into_bytes(),
            )
        }),
        prop::collection::vec("[ {}\"\r\nA-Z]{1,40}", 0..4).prop_map(|chunks| {
            let chunks = chunks
                .iter()
                .map(|chunk| format!("{:x};e=\"{{\"\r\n{chunk}\r\n", chunk.len()));
            let body = chunks.collect::<String>() + "0\r\nx: {\r\n\r\n";
            (
                "Transfer-Encoding: chunked\r\n".to_owned(),
                body.into_bytes(),
            )
        }),
    ];
    (targets, body, "(\r\n)?", 0..400_usize).prop_map(|(target, (field, body), blank, long)| {
        let target = target.concat();
        let fields = format!("x: {{\"{}\r\n{field}", "y".repeat(long));
        let write = |target: &str| {
            let head = format!("{blank}POST /{target} HTTP/1.1\r\n{fields}\r\n");
            [head.as_bytes(), &body].concat()
        };
        let mut allowed = String::new();
        for byte in target.bytes() {
            match byte {
                b'a' | b'/' | b'?' | b'q' | b'=' | b'%' | b'2' => allowed.push(byte.into()),
                byte => allowed += &format!("%{byte:02X}"),
            }
        }
        (write(&target), write(&allowed))
    })
}

proptest! {
    #[test]
    fn targets_are_encoded_and_nothing_else(
        requests in prop::collection::vec(request(), 1..5),
        sizes in prop::collection::vec(1..50_usize, 1..20),
    ) {
        let (sent, expected): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        let (sent, expected) = (sent.concat(), expected.concat());
        let mut pieces = Vec::new();
        let mut rest = &sent[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(rest.len().min(*size));
            pieces.push(piece);
            rest = after;
        }
        let found = encoded(&pieces);
        prop_assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected));
    }

    #[test]
    fn splits_make_no_difference(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
        let (before, after) = bytes.split_at(at.min(bytes.len()));
        prop_assert_eq!(encoded(&[before, after]), encoded(&[&bytes]));
    }
}

#[test]
fn after_doubtful_framing_nothing_is_encoded() {
    let padded = format!("Content-Length:{}4", " ".repeat(300));
    for field in [
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: +4",
        "Content-Length: 99999999999999999999",
        "Upgrade: x",
        "no colon",
        &padded,
    ] {
        let sent = format!("POST / HTTP/1.1\r\n{field}\r\n\r\nbodyGET /{{ HTTP/1.1\r\n\r\n");
        let found = encoded(&[sent.as_bytes()]);
        assert_eq!(String::from_utf8(found).unwrap(), sent, "{field}");
    }
}

/// Over the real server: two pipelined requests, one with a body.
#[tokio::test]
async fn the_server_accepts_raw_targets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = async |request: Request| {
        let uri = request.uri().to_string();
        let body = axum::body::to_bytes(request.into_body(), 100)
            .await
            .unwrap();
        format!("<{uri} {}>", String::from_utf8_lossy(&body))
    };
    let stop = CancellationToken::new();
    let server = tokio::spawn(super::super::serve(
        listener,
        Router::new().fallback(echo),
        vigie_metrics::Registry::new(),
        stop.clone(),
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    let sent = "POST /q?query=up{a=\"é\"}|\\^<> HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n{\"raw}\
                GET /label/{x}?a#b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.write_all(sent.as_bytes()).await.unwrap();
    let mut answers = String::new();
    let read = client.read_to_string(&mut answers);
    tokio::time::timeout(Duration::from_secs(60), read)
        .await
        .unwrap()
        .unwrap();
    for expected in [
        "</q?query=up%7Ba=%22%C3%A9%22%7D%7C%5C%5E%3C%3E {\"raw}>",
        "</label/%7Bx%7D?a%23b >",
    ] {
        assert!(answers.contains(expected), "{answers}");
    }
    stop.cancel();
    server.await.unwrap();
}
