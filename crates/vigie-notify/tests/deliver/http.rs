//! The HTTP client's settings.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use vigie_notify::config;
use vigie_notify::deliver::{Cause, Failure, Sender};
use vigie_testkit::Certificates;
use vigie_testkit::receivers::{Answer, Receiver, Service};

use super::services::{message, settings, slow};

async fn send(url: &str, http: &str) -> Result<(), Failure> {
    let yaml = format!(
        "route: {{receiver: critical}}\nreceivers: [{{name: critical, webhook_configs: [{{url: '{url}', http_config: {{{http}}}}}]}}]"
    );
    let config = config::load(&yaml).unwrap();
    let mut message = message(vec![slow()], vec![]);
    message.integration = "webhook/0".into();
    Sender::new(&config, settings()).send(&message).await
}

#[tokio::test]
async fn credentials() {
    let server = Receiver::start(Service::Webhook).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "from-a-file\n").unwrap();
    let login = server.url("/").replace("http://", "http://me:p%40ss@");
    for (url, http, expected) in [
        (
            server.url("/"),
            "basic_auth: {username: me, password: 'p@ss'}".to_owned(),
            "Basic bWU6cEBzcw==",
        ),
        (
            server.url("/"),
            "authorization: {type: Token, credentials: abc}".to_owned(),
            "Token abc",
        ),
        (
            server.url("/"),
            format!("bearer_token_file: {}", file.display()),
            "Bearer from-a-file",
        ),
        (login, String::new(), "Basic bWU6cEBzcw=="),
    ] {
        send(&url, &http).await.unwrap();
        let posted = server.last().unwrap();
        assert_eq!(posted.header("authorization"), Some(expected));
        assert_eq!(posted.header("content-type"), Some("application/json"));
        assert_eq!(posted.header("host"), Some(&*server.addr().to_string()));
        assert_eq!(posted.path, "/");
    }
    std::fs::remove_file(&file).unwrap();
    let http = format!("bearer_token_file: {}", file.display());
    let failure = send(&server.url("/"), &http).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Settings);
    assert!(failure.text.contains("token cannot be used"), "{failure}");
}

#[tokio::test]
async fn redirects() {
    let server = Receiver::start(Service::Webhook).await.unwrap();
    let other = Receiver::start(Service::Webhook).await.unwrap();
    let to = |status: u16, location: String| {
        server.answer(Answer::Http(
            status,
            vec![("location", location)],
            String::new(),
        ));
    };
    let login = "basic_auth: {username: me, password: hidden-password}";
    to(307, "/elsewhere".to_owned());
    send(&server.url("/a"), login).await.unwrap();
    let posted = server.last().unwrap();
    assert_eq!(posted.path, "/elsewhere");
    assert!(posted.header("authorization").is_some());
    // Another server gets nothing: the body and the path can be as secret as the credentials.
    for location in [
        other.url("/b"),
        other.url("/b").replace("http:", "https:"),
        format!("//{}/b", other.addr()),
    ] {
        to(308, location);
        let failure = send(&server.url("/a"), "").await.unwrap_err();
        assert_eq!(failure.cause, Cause::Refused);
        assert!(failure.text.contains("to another server"), "{failure}");
    }

    to(302, server.url("/b"));
    let failure = send(&server.url("/a"), "").await.unwrap_err();
    assert_eq!(failure.cause, Cause::Refused);
    assert!(failure.text.contains("would lose the message"), "{failure}");
    to(307, other.url("/b"));
    let failure = send(&server.url("/a"), "follow_redirects: false")
        .await
        .unwrap_err();
    assert_eq!(failure.cause, Cause::Refused);
    for _ in 0..4 {
        to(307, server.url("/a"));
    }
    let failure = send(&server.url("/a"), "").await.unwrap_err();
    assert!(failure.text.contains("redirects"), "{failure}");
    assert_eq!(other.posted().len(), 0);
}

#[tokio::test]
async fn tls_is_verified() {
    let certificates = Certificates::new().await.unwrap();
    let (certificate, key) = certificates.issue("server", 2).await.unwrap();
    let server = Receiver::start_tls(Service::Webhook, &certificate, &key)
        .await
        .unwrap();
    let failure = send(&server.url("/"), "").await.unwrap_err();
    assert_eq!(failure.cause, Cause::Tls, "{failure}");
    let ca = certificates.ca();
    let ca = format!("tls_config: {{ca_file: {}}}", ca.display());
    send(&server.url("/"), &ca).await.unwrap();
    send(&server.url("/"), "tls_config: {insecure_skip_verify: true}")
        .await
        .unwrap();
    let named = ca.replace("}", ", server_name: other.example.org}");
    assert_eq!(
        send(&server.url("/"), &named).await.unwrap_err().cause,
        Cause::Tls
    );
    let missing = "tls_config: {ca_file: /no/such/file}";
    assert_eq!(
        send(&server.url("/"), missing).await.unwrap_err().cause,
        Cause::Settings
    );
    // A server without TLS.
    let plain = Receiver::start(Service::Webhook).await.unwrap();
    let url = plain.url("/").replace("http:", "https:");
    let cause = send(&url, &ca).await.unwrap_err().cause;
    assert!(
        matches!(cause, Cause::Tls | Cause::Unreachable),
        "{cause:?}"
    );
}

#[tokio::test]
async fn proxies() {
    // It forwards a request with an absolute URL.
    let proxy = Receiver::start(Service::Webhook).await.unwrap();
    let url = proxy.url("").replace("http://", "http://me:secret@");
    send(
        "http://hook.example.org/path?x=1",
        &format!("proxy_url: '{url}'"),
    )
    .await
    .unwrap();
    let posted = proxy.last().unwrap();
    assert_eq!(posted.path, "http://hook.example.org/path?x=1");
    assert_eq!(
        posted.header("proxy-authorization"),
        Some("Basic bWU6c2VjcmV0")
    );
    assert_eq!(posted.header("host"), Some("hook.example.org"));

    let certificates = Certificates::new().await.unwrap();
    let (certificate, key) = certificates.issue("server", 2).await.unwrap();
    let server = Receiver::start_tls(Service::Webhook, &certificate, &key)
        .await
        .unwrap();
    let (url, heads) = tunnel("200 OK").await;
    let ca = format!(
        "tls_config: {{ca_file: {}}}, proxy_url: '{url}'",
        certificates.ca().display()
    );
    send(&server.url("/a"), &ca).await.unwrap();
    assert_eq!(server.last().unwrap().path, "/a");
    let head = heads.await.unwrap();
    let addr = server.addr();
    assert_eq!(
        head,
        format!(
            "CONNECT {addr} HTTP/1.1\r\nHost: {addr}\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
        )
    );
    for (answer, cause) in [
        ("407 Login", Cause::Credentials),
        ("502 Gone", Cause::Unreachable),
    ] {
        let (url, _head) = tunnel(answer).await;
        let failure = send(&server.url("/a"), &format!("proxy_url: '{url}'"))
            .await
            .unwrap_err();
        assert_eq!(failure.cause, cause, "{failure}");
        assert!(!failure.text.contains("secret"), "{failure}");
    }
}

/// A proxy for one connection; returns its URL and the head of the request.
async fn tunnel(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://me:secret@{}", listener.local_addr().unwrap());
    let head = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let reply = format!("HTTP/1.1 {answer}\r\nvia: test\r\n\r\n");
        client.write_all(reply.as_bytes()).await.unwrap();
        if answer.starts_with('2') {
            let to = head.split(' ').nth(1).unwrap();
            let mut server = TcpStream::connect(to).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        head
    });
    (url, head)
}
