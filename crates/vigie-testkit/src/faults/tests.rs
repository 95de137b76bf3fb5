#![allow(clippy::unwrap_used)]
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::*;
use crate::SOON;

const BRIEF: Duration = Duration::from_millis(150);

async fn ask(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    stream
}

async fn rest(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut bytes)).await.unwrap();
    (bytes, read.err().map(|error| error.kind()))
}

#[tokio::test]
async fn hangs_then_answers_then_refuses_then_answers_again() {
    let server = FaultServer::start(Fault::Hang).await.unwrap();
    let mut hung = ask(server.addr()).await;
    assert!(timeout(BRIEF, hung.read_u8()).await.is_err());

    server.set(Fault::Answer(http_answer(200, "hello"))).await;
    assert!(
        timeout(SOON, hung.read_u8()).await.unwrap().is_err(),
        "still open"
    );
    let response = crate::http::get(server.addr(), "/").await.unwrap();
    assert_eq!((response.status, response.text()), (200, "hello".into()));

    server.set(Fault::Refuse).await;
    let refused = TcpStream::connect(server.addr()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(server.connections(), 2);

    server.set(Fault::Answer(http_answer(503, ""))).await;
    assert_eq!(
        crate::http::get(server.addr(), "/").await.unwrap().status,
        503
    );
}

#[tokio::test]
async fn a_kept_connection_is_answered_each_time() {
    let server = FaultServer::start(Fault::Answer(b"+PONG\r\n".to_vec()))
        .await
        .unwrap();
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"PING\r\n").await.unwrap();
        let mut answer = [0; 7];
        timeout(SOON, stream.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&answer, b"+PONG\r\n");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn cuts_an_answer_by_reset_or_by_close() {
    let answer = http_answer(200, "a long enough body");
    let server = FaultServer::start(Fault::ResetAfter(10, answer.clone()))
        .await
        .unwrap();
    let (bytes, error) = rest(&mut ask(server.addr()).await).await;
    assert_eq!(
        (&bytes[..], error),
        (&answer[..10], Some(ErrorKind::ConnectionReset))
    );

    server
        .set(Fault::CloseAfter(answer.len() - 3, answer.clone()))
        .await;
    let (bytes, error) = rest(&mut ask(server.addr()).await).await;
    assert_eq!((&bytes[..], error), (&answer[..answer.len() - 3], None));

    server.set(Fault::Close).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    assert_eq!(rest(&mut stream).await.0, b"");
}

#[tokio::test]
async fn is_late_drips_and_talks_nonsense() {
    let server = FaultServer::start(Fault::Late(BRIEF, b"x".to_vec()))
        .await
        .unwrap();
    let begun = Instant::now();
    assert_eq!(ask(server.addr()).await.read_u8().await.unwrap(), b'x');
    assert!(begun.elapsed() >= BRIEF);

    server.set(Fault::Drip(BRIEF / 3, b"abc".to_vec())).await;
    let begun = Instant::now();
    let mut stream = ask(server.addr()).await;
    assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 1);
    stream.read_exact(&mut [0; 2]).await.unwrap();
    assert!(begun.elapsed() >= BRIEF);

    server.set(Fault::Garbage).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let mut bytes = [0; 4096];
    timeout(SOON, stream.read_exact(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    assert!(!bytes.contains(&b'\n'));
}

#[tokio::test]
async fn the_line_freezes_slows_breaks_and_heals() {
    let server = FaultServer::start(Fault::Answer(b"x".to_vec()))
        .await
        .unwrap();
    let proxy = TcpProxy::start(server.addr()).await.unwrap();
    let mut stream = ask(proxy.addr()).await;
    assert_eq!(stream.read_u8().await.unwrap(), b'x');

    proxy.set(Link::Frozen).await;
    stream.write_all(b"?").await.unwrap();
    assert!(timeout(BRIEF, stream.read_u8()).await.is_err());
    proxy.set(Link::Up).await;
    assert_eq!(
        timeout(SOON, stream.read_u8()).await.unwrap().unwrap(),
        b'x'
    );

    proxy.set(Link::Delayed(BRIEF)).await;
    let begun = Instant::now();
    stream.write_all(b"?").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
    assert!(begun.elapsed() >= BRIEF * 2, "both ways");

    proxy.set(Link::Cut).await;
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));
    assert!(TcpStream::connect(proxy.addr()).await.is_err());
    proxy.set(Link::Up).await;
    let mut stream = ask(proxy.addr()).await;
    assert_eq!(
        timeout(SOON, stream.read_u8()).await.unwrap().unwrap(),
        b'x'
    );
    assert_eq!(proxy.connections(), 2);
}
