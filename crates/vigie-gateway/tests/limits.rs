//! Descriptors and memory: of the whole process, so that these tests run one after the other.
#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vigie_gateway::{Gateway, Running, Settings};
use vigie_metrics::{Format, Registry};
use vigie_testkit::SOON;
use vigie_testkit::allocator::{Counting, process};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALONE: Mutex<()> = Mutex::new(());

const REQUEST: &[u8] = b"GET /players/42 HTTP/1.1\r\nHost: game\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
/// The timeouts of the gateway, so that none passes during a test.
const LATE: Duration = Duration::from_secs(10 * SOON.as_secs());

/// A gateway and its app, whose sockets need no memory of this process.
struct Fixture {
    gateway: Running,
    registry: Registry,
    app: TcpListener,
    _alone: MutexGuard<'static, ()>,
}

impl Fixture {
    fn start() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let app = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut settings = Settings::new(app.local_addr().unwrap().to_string());
        for timeout in [
            &mut settings.header_timeout,
            &mut settings.connect_timeout,
            &mut settings.response_timeout,
            &mut settings.body_timeout,
            &mut settings.keep_alive,
        ] {
            *timeout = LATE;
        }
        let registry = Registry::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = Gateway::new(settings, &registry).unwrap();
        Self {
            gateway: gateway.start(listener).unwrap(),
            registry,
            app,
            _alone: alone,
        }
    }

    fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    /// A client and its connection to the app, after this request has arrived.
    fn connected(&self, request: &[u8]) -> (TcpStream, TcpStream) {
        let mut client = TcpStream::connect(self.address()).unwrap();
        client.write_all(request).unwrap();
        let mut upstream = self.accept();
        head(&mut upstream);
        (client, upstream)
    }

    fn accept(&self) -> TcpStream {
        self.app.set_nonblocking(true).unwrap();
        let pause = Duration::from_micros(100);
        for _ in 0..SOON.as_micros() / pause.as_micros() {
            match self.app.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    return stream;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    sleep(pause);
                }
            }
        }
        panic!("the gateway does not connect");
    }

    fn accept_failures(&self) -> bool {
        let page = self.registry.expose(Format::Text);
        !page.contains("\nvigie_gateway_accept_failures_total 0\n")
    }
}

/// Reads a head.
fn head(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
}

fn exchange(client: &mut TcpStream, upstream: &mut TcpStream) {
    client.write_all(REQUEST).unwrap();
    head(upstream);
    upstream.write_all(ANSWER).unwrap();
    head(client);
}

fn eventually(condition: impl Fn() -> bool) {
    let pause = Duration::from_millis(10);
    for _ in 0..SOON.as_millis() / pause.as_millis() {
        if condition() {
            return;
        }
        sleep(pause);
    }
    panic!("the condition does not come true");
}

/// Waits until the memory of the process stays the same.
fn settled() -> usize {
    let mut before = process::held();
    loop {
        sleep(Duration::from_millis(500));
        let now = process::held();
        if now == before {
            return now;
        }
        before = now;
    }
}

/// Sends until nothing more is accepted. Returns the number of bytes.
fn send_all(stream: &mut TcpStream) -> usize {
    stream.set_nonblocking(true).unwrap();
    let piece = [b'x'; 16 * 1024];
    let (mut sent, mut refusals) = (0, 0);
    // The kernel enlarges buffers gradually.
    while refusals < 20 {
        match stream.write(&piece) {
            Ok(length) => {
                sent += length;
                refusals = 0;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                refusals += 1;
                sleep(Duration::from_millis(5));
            }
        }
    }
    sent
}

#[test]
fn without_descriptors_others_are_served_and_the_connection_waits() {
    let fixture = Fixture::start();
    let (mut client, mut upstream) = fixture.connected(REQUEST);
    upstream.write_all(ANSWER).unwrap();
    head(&mut client);
    // All lower numbers are taken, and one more is permitted.
    let mut taken: Vec<OwnedFd> = Vec::new();
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let numbers = open.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let most: i32 = numbers.map(|number| number.parse().unwrap()).max().unwrap();
    loop {
        let next = rustix::io::dup(&client).unwrap();
        if next.as_raw_fd() > most {
            break;
        }
        taken.push(next);
    }
    let limit = getrlimit(Resource::Nofile);
    let permitted = u64::try_from(most).unwrap() + 2;
    let lowered = Rlimit {
        current: Some(permitted),
        ..limit
    };
    setrlimit(Resource::Nofile, lowered).unwrap();
    let mut waiting = TcpStream::connect(fixture.address()).unwrap();
    eventually(|| fixture.accept_failures());
    for _ in 0..10 {
        exchange(&mut client, &mut upstream);
    }
    setrlimit(Resource::Nofile, limit).unwrap();
    waiting.write_all(REQUEST).unwrap();
    let mut upstream = fixture.accept();
    head(&mut upstream);
    upstream.write_all(ANSWER).unwrap();
    head(&mut waiting);
}

#[test]
fn an_idle_connection_holds_two_kilobytes() {
    const COUNT: usize = 1_000;
    let fixture = Fixture::start();
    let mut open = Vec::with_capacity(COUNT + 1);
    let mut connect = || {
        let (mut client, mut upstream) = fixture.connected(REQUEST);
        upstream.write_all(ANSWER).unwrap();
        head(&mut client);
        open.push((client, upstream));
    };
    connect();
    let before = settled();
    (0..COUNT).for_each(|_| connect());
    let each = (settled() - before) / COUNT;
    assert!(each <= 2 * 1024, "{each} bytes");
}

#[test]
fn slow_readers_hold_one_buffer_each() {
    const COUNT: usize = 50;
    let fixture = Fixture::start();
    let mut open = Vec::with_capacity(COUNT);
    let before = settled();
    for _ in 0..COUNT {
        let (client, mut upstream) = fixture.connected(REQUEST);
        upstream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            .unwrap();
        assert!(send_all(&mut upstream) > 64 * 1024);
        open.push((client, upstream));
    }
    let each = (settled() - before) / COUNT;
    assert!(each <= 70 * 1024, "{each} bytes");
    // Another client is served.
    let (mut client, mut upstream) = fixture.connected(REQUEST);
    upstream.write_all(ANSWER).unwrap();
    head(&mut client);
}

#[test]
fn uploads_that_the_app_does_not_read_hold_one_buffer_each() {
    const COUNT: usize = 50;
    let fixture = Fixture::start();
    let mut open = Vec::with_capacity(COUNT);
    let before = settled();
    for _ in 0..COUNT {
        let (mut client, upstream) = fixture
            .connected(b"POST /up HTTP/1.1\r\nHost: g\r\nContent-Length: 1000000000\r\n\r\n");
        assert!(send_all(&mut client) > 64 * 1024);
        open.push((client, upstream));
    }
    let each = (settled() - before) / COUNT;
    assert!(each <= 70 * 1024, "{each} bytes");
    let (mut client, mut upstream) = fixture.connected(REQUEST);
    upstream.write_all(ANSWER).unwrap();
    head(&mut client);
}
