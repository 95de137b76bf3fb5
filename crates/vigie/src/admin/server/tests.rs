//! The real server with clients that use up every limit: probes are still answered.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex};

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use vigie_api::{Api, BuildInfo, Settings, Source};
use vigie_probes::{Checks, Clock};
use vigie_promql::storage::{Selection, StorageError};
use vigie_promql::{Labels, Sample, Storage};
use vigie_testkit::http::{self, Connection};
use vigie_testkit::{SOON, eventually};

use super::*;
use crate::admin::{Access, Hosts};
use crate::metrics::{ADMIN_CONNECTIONS_CLOSED, ADMIN_REQUESTS_REFUSED};

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);
const PROBES: [&str; 6] = [
    "/healthz",
    "/livez",
    "/readyz",
    "/readyz?verbose",
    "/-/healthy",
    "/-/ready",
];
/// It compiles a regular expression, so it never runs on the thread that serves.
const QUERY: &str = "/api/v1/query?query=count(%7B__name__%3D~%22%5Ba-c%5D%2Bx%22%7D)";
/// More than the buffers of two sockets hold.
const BIG: usize = 16 << 20;

/// A page of samples that blocks until the gate is open.
#[derive(Default)]
struct Gated {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gated {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl Storage for Gated {
    fn select(
        &self,
        _: &Selection<'_>,
        _: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        Ok(())
    }
}

impl Source for Gated {}

struct Port {
    address: SocketAddr,
    registry: Registry,
    samples: Arc<Gated>,
    /// The number of requests for `/big` that reached their handler.
    big: Arc<Mutex<usize>>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Port {
    /// Serves the admin port, with `/big` added.
    async fn open(limits: Limits) -> Self {
        let registry = Registry::new();
        let samples = Arc::new(Gated::default());
        let api = Api::new(
            Arc::clone(&samples) as Arc<dyn Source>,
            Settings::default(),
            BuildInfo::default(),
        );
        let checks = Checks::builder(Clock::system()).build(&registry);
        let big = Arc::new(Mutex::new(0));
        let handler = {
            let big = Arc::clone(&big);
            move || {
                *big.lock().unwrap() += 1;
                async { vec![b'x'; BIG] }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let access = Access::Open(Hosts::new(address, &[]));
        let router = crate::admin::router(
            registry.clone(),
            checks,
            None,
            Default::default(),
            api,
            Default::default(),
            access,
        )
        .route("/big", get(handler));
        let stop = CancellationToken::new();
        let server = Server::new(router, &registry, limits);
        Self {
            address,
            registry,
            samples,
            big,
            serving: tokio::spawn(server.serve(listener, stop.clone())),
            stop,
        }
    }

    async fn silent(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn sending(&self, text: &str) -> TcpStream {
        let mut stream = self.silent().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn status(&self, path: &str) -> u16 {
        http::get(self.address, path).await.unwrap().status
    }

    async fn probes_answer(&self) {
        for path in PROBES {
            assert_eq!(self.status(path).await, 200, "{path}");
        }
    }

    fn refused(&self) -> u64 {
        let family = self.registry.family(&ADMIN_REQUESTS_REFUSED);
        family.series(["busy"]).get()
    }

    fn closed(&self, reason: &str) -> u64 {
        let family = self.registry.family(&ADMIN_CONNECTIONS_CLOSED);
        family.series([reason]).get()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        eventually(SOON, async || match is_so(self) {
            true => Ok(()),
            false => Err(format!("not yet: {what}")),
        })
        .await;
    }

    async fn close(self) {
        self.samples.open();
        self.stop.cancel();
        self.serving.await.unwrap();
    }
}

/// Limits whose deadlines no test reaches.
fn patient() -> Limits {
    Limits {
        deadlines: Deadlines {
            head: NEVER,
            idle: NEVER,
            write: NEVER,
        },
        ..Limits::default()
    }
}

async fn is_closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
    // A reset also counts as an end.
    let _ = end.unwrap();
    assert_eq!(rest, b"");
}

/// Asserts that the server answers on this connection, which has sent nothing so far.
async fn answers(mut stream: TcpStream) {
    let head = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn silent_connections_make_room_in_the_order_of_their_age() {
    let limits = patient();
    let port = Port::open(limits).await;
    let extra = 64;
    let mut silent = Vec::new();
    for n in 0..limits.connections + extra {
        silent.push(port.silent().await);
        if n % 64 == 63 {
            port.probes_answer().await;
        }
    }
    port.probes_answer().await;
    assert_eq!(port.status("/metrics").await, 200);
    port.until("all are accepted", |port| {
        port.closed("evicted") >= extra as u64
    })
    .await;
    let newest = silent.split_off(silent.len() - 32);
    for oldest in silent.drain(..extra) {
        is_closed(oldest).await;
    }
    for stream in newest {
        answers(stream).await;
    }
    port.close().await;
}

#[tokio::test]
async fn heads_that_come_byte_by_byte_are_cut_off() {
    let mut limits = patient();
    limits.connections = 40;
    limits.queries = 8;
    limits.pages = 8;
    limits.deadlines.head = Duration::from_millis(500);
    let port = Port::open(limits).await;
    let drip = |mut stream: TcpStream| async move {
        let head = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nx: ";
        let bytes = head.bytes().chain(std::iter::repeat(b'x'));
        for byte in bytes {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut dripping = Vec::new();
    for _ in 0..60 {
        dripping.push(tokio::spawn(drip(port.silent().await)));
        port.probes_answer().await;
    }
    for dripping in dripping {
        tokio::time::timeout(SOON, dripping).await.unwrap().unwrap();
    }
    assert!(port.closed("slow_head") > 0);
    assert_eq!(port.status("/metrics").await, 200);
    port.close().await;
}

#[tokio::test]
async fn a_head_has_its_deadline_also_on_a_kept_connection() {
    let mut limits = patient();
    limits.deadlines.head = Duration::from_millis(500);
    let port = Port::open(limits).await;
    let mut kept = Connection::open(port.address).await.unwrap().deadline(SOON);
    kept.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(kept.response().await.unwrap().status, 200);
    assert_eq!(port.closed("slow_head"), 0);
    kept.send(b"GET /hea").await.unwrap();
    kept.closed().await.unwrap();
    assert_eq!(port.closed("slow_head"), 1);
    port.close().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_being_counted() {
    let mut limits = patient();
    limits.deadlines.idle = Duration::from_millis(100);
    let port = Port::open(limits).await;
    let mut kept = Connection::open(port.address).await.unwrap().deadline(SOON);
    kept.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(kept.response().await.unwrap().status, 200);
    kept.closed().await.unwrap();
    assert_eq!(port.closed("slow_head"), 0);
    port.close().await;
}

#[tokio::test]
async fn waiting_queries_keep_out_only_queries() {
    let limits = patient();
    let port = Port::open(limits).await;
    let queries: Vec<_> = (0..134)
        .map(|_| {
            let address = port.address;
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await.unwrap().deadline(NEVER);
                let head = format!("GET {QUERY} HTTP/1.1\r\nhost: localhost\r\n\r\n");
                connection.send(head.as_bytes()).await.unwrap();
                connection.response().await.unwrap()
            })
        })
        .collect();
    let too_many = 134 - limits.queries as u64;
    port.until("the others are refused", |port| port.refused() == too_many)
        .await;
    port.probes_answer().await;
    let page = http::get(port.address, "/metrics").await.unwrap().text();
    let counted = format!("vigie_admin_requests_refused_total{{reason=\"busy\"}} {too_many}\n");
    assert!(page.contains(&counted), "{page}");
    // Connections with a running query are not closed for others.
    let silent: Vec<_> = (0..limits.connections)
        .map(|_| TcpStream::connect(port.address))
        .collect();
    let mut open = Vec::new();
    for silent in silent {
        open.push(silent.await.unwrap());
    }
    port.probes_answer().await;

    port.samples.open();
    let mut statuses = Vec::new();
    for query in queries {
        let answer = query.await.unwrap();
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), Some("5"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
        statuses.push(answer.status);
    }
    let answered = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(answered, limits.queries, "{statuses:?}");
    assert_eq!(port.status(QUERY).await, 200, "the places are free again");
    port.close().await;
}

#[tokio::test]
async fn slow_bodies_keep_out_only_queries() {
    let mut limits = patient();
    limits.queries = 4;
    let port = Port::open(limits).await;
    port.samples.open();
    let head = "POST /api/v1/query HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\nquery=";
    let mut slow = Vec::new();
    for _ in 0..limits.queries {
        slow.push(port.sending(head).await);
    }
    eventually(SOON, async || match port.status(QUERY).await {
        503 => Ok(()),
        other => Err(other),
    })
    .await;
    port.probes_answer().await;
    assert_eq!(port.status("/metrics").await, 200);
    drop(slow);
    eventually(SOON, async || match port.status(QUERY).await {
        200 => Ok(()),
        other => Err(other),
    })
    .await;
    port.close().await;
}

#[tokio::test]
async fn a_place_is_held_until_the_answer_is_read() {
    let mut limits = patient();
    limits.pages = 4;
    let port = Port::open(limits).await;
    let mut readers = Vec::new();
    for n in 1..=limits.pages {
        let head = "GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n";
        readers.push(port.sending(head).await);
        port.until("it is served", |port| *port.big.lock().unwrap() == n)
            .await;
    }
    assert_eq!(port.status("/metrics").await, 503);
    assert_eq!(port.refused(), 1);
    port.probes_answer().await;
    // One client reads its response: its place is released, though the connection stays open.
    let mut reader = readers.remove(0);
    let mut bytes = vec![0; BIG];
    reader.read_exact(&mut bytes).await.unwrap();
    eventually(SOON, async || {
        let mut rest = [0; 4096];
        let _ = reader.try_read(&mut rest);
        match port.status("/metrics").await {
            200 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    port.close().await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_cut_off() {
    let mut limits = patient();
    limits.pages = 4;
    limits.deadlines.write = Duration::from_millis(200);
    let port = Port::open(limits).await;
    let mut readers = Vec::new();
    for _ in 0..limits.pages {
        let head = "GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n";
        readers.push(port.sending(head).await);
    }
    port.until("they are closed", |port| port.closed("slow_reader") == 4)
        .await;
    eventually(SOON, async || match port.status("/metrics").await {
        200 => Ok(()),
        other => Err(other),
    })
    .await;
    port.close().await;
}

#[tokio::test]
async fn unread_probes_are_evicted_too() {
    let mut limits = patient();
    limits.connections = 4;
    limits.queries = 1;
    limits.pages = 1;
    let port = Port::open(limits).await;
    let request = "GET /readyz?verbose HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
    let mut flooding = Vec::new();
    for _ in 0..limits.connections + 2 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let mut stream = socket.connect(port.address).await.unwrap();
        let request = request.clone();
        // Sends until the server stops reading, and never reads.
        flooding.push(tokio::spawn(async move {
            while stream.write_all(request.as_bytes()).await.is_ok() {}
        }));
        port.probes_answer().await;
    }
    port.until("the oldest are closed", |port| port.closed("evicted") >= 2)
        .await;
    port.probes_answer().await;
    assert_eq!(port.status("/metrics").await, 200);
    for flooding in flooding {
        flooding.abort();
    }
    port.close().await;
}

#[tokio::test]
async fn a_pipelined_request_waits_until_the_answer_before_it_is_written() {
    let port = Port::open(patient()).await;
    let head = "GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(8);
    let mut stream = Connection::open(port.address).await.unwrap().deadline(SOON);
    stream.send(head.as_bytes()).await.unwrap();
    port.until("the first is served", |port| *port.big.lock().unwrap() > 0)
        .await;
    port.probes_answer().await;
    assert_eq!(*port.big.lock().unwrap(), 1);
    for _ in 0..8 {
        assert_eq!(stream.response().await.unwrap().body.len(), BIG);
    }
    assert_eq!(*port.big.lock().unwrap(), 8);
    port.close().await;
}
