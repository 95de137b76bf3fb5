//! The PROXY protocol as HAProxy writes and reads it.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use vigie_gateway::Forwarding;
use vigie_gateway::proxy_protocol::Version;
use vigie_testkit::{Process, eventually, ports, tools};

use crate::common::{App, Fixture, Peer, SOON};

/// Not the address of the gateway's other peers.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// HAProxy with one `listen` section.
struct Haproxy {
    address: SocketAddr,
    // Before the directory: fields are dropped in this order.
    _process: Process,
    _directory: TempDir,
}

impl Haproxy {
    async fn start(mode: &str, bind: &str, more: &str, server: SocketAddr, send: &str) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("haproxy.cfg");
        let configuration = format!(
            "global\n  maxconn 100\ndefaults\n  timeout connect 60s\n  timeout client 600s\n  timeout server 600s\n\
             listen all\n  mode {mode}\n  bind {address} {bind}\n{more}  server one {server} {send}\n"
        );
        std::fs::write(&path, configuration).unwrap();
        let mut command = Command::new(tools::HAPROXY.find().unwrap());
        command.arg("-db").arg("-f").arg(&path);
        let process = Process::spawn("haproxy", command).unwrap();
        eventually(SOON, async || match TcpStream::connect(address).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{error}\n{}", process.tail())),
        })
        .await;
        Self {
            address,
            _process: process,
            _directory: directory,
        }
    }
}

async fn connect(address: SocketAddr) -> Peer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((CLIENT, 0).into()).unwrap();
    Peer(socket.connect(address).await.unwrap())
}

#[tokio::test]
async fn haproxy_names_the_client_to_the_gateway() {
    for send in ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"] {
        let app = App::bind().await;
        let fixture = Fixture::start(app.addr(), |settings| settings.proxy_protocol = true);
        let haproxy = Haproxy::start("tcp", "", "", fixture.addr(), send).await;
        let mut client = connect(haproxy.address).await;
        client.send("GET / HTTP/1.1\r\nHost: g\r\n\r\n").await;
        let head = app.accept().await.head().await;
        let expected = format!("\r\nX-Forwarded-For: {CLIENT}\r\n");
        assert!(head.contains(&expected), "{send}: {head}");
        assert_eq!(fixture.failed("proxy_header_invalid"), 0.0, "{send}");
    }
}

#[tokio::test]
async fn health_checks_of_haproxy_are_accepted() {
    let app = App::bind().await;
    let fixture = Fixture::start(app.addr(), |settings| settings.proxy_protocol = true);
    let more = "  option httpchk\n  http-check send meth GET uri /health ver HTTP/1.1 hdr Host g\n";
    let send = "send-proxy-v2 check check-send-proxy inter 100ms";
    let _haproxy = Haproxy::start("http", "", more, fixture.addr(), send).await;
    let mut upstream = app.accept().await;
    assert!(
        upstream
            .head()
            .await
            .starts_with("GET /health HTTP/1.1\r\n")
    );
    assert_eq!(fixture.failed("proxy_header_invalid"), 0.0);
}

#[tokio::test]
async fn haproxy_as_the_app_reads_the_client_from_the_gateway() {
    for version in [Version::V1, Version::V2] {
        let app = App::bind().await;
        let seen = "  http-request set-header X-Seen %[src]:%[src_port]\n";
        let haproxy = Haproxy::start("http", "accept-proxy", seen, app.addr(), "").await;
        let fixture = Fixture::start(haproxy.address, |settings| {
            settings.forwarding = Forwarding::Proxy(version);
        });
        let mut client = connect(fixture.addr()).await;
        let address = client.0.local_addr().unwrap();
        client.send("GET / HTTP/1.1\r\nHost: g\r\n\r\n").await;
        let mut upstream = app.accept().await;
        let head = upstream.head().await.to_ascii_lowercase();
        let expected = format!("\r\nx-seen: {address}\r\n");
        assert!(head.contains(&expected), "{version:?}: {head}");
        upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 204"));
    }
}
