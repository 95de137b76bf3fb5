//! The app receives the bytes of the client, in order and unchanged, and none after a refused one: however they are
//! divided, and whatever they are.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use vigie_gateway::Forwarding;
use vigie_traffic::{Connection, Event, Fault, Limits, Side};

use crate::common::{Fixture, SOON};
use crate::generator;
use crate::variants::variants;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HEAD_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

/// The app's side of a connection: answers each complete request, and stops at what it cannot read.
struct Server {
    connection: Connection,
    received: Vec<u8>,
    /// The bytes of valid messages.
    passed: Vec<u8>,
    is_head: bool,
    answered: usize,
    refused: Option<Fault>,
    connects: bool,
}

impl Server {
    fn new() -> Self {
        Self {
            connection: Connection::new(Limits::default()),
            received: Vec::new(),
            passed: Vec::new(),
            is_head: false,
            answered: 0,
            refused: None,
            connects: false,
        }
    }

    /// Reads bytes, and returns its answers.
    fn read(&mut self, mut input: &[u8]) -> Vec<u8> {
        self.received.extend_from_slice(input);
        let mut answers = Vec::new();
        loop {
            let step = self
                .connection
                .read(Side::Client, Duration::ZERO, &mut input);
            let mut ends = false;
            match step.event {
                None => break,
                Some(Event::Refused(fault)) => {
                    self.passed.extend_from_slice(step.passed);
                    self.refused = Some(fault);
                    break;
                }
                Some(Event::Request(head)) => {
                    if head.method() == "CONNECT" {
                        self.connects = true;
                        break;
                    }
                    self.is_head = head.method() == "HEAD";
                }
                Some(Event::End) => ends = true,
                Some(_) => {}
            }
            self.passed.extend_from_slice(step.passed);
            if ends {
                self.answered += 1;
                let answer = if self.is_head { HEAD_ANSWER } else { ANSWER };
                answers.extend_from_slice(answer);
                let mut answer = answer;
                while let Some(event) = self
                    .connection
                    .read(Side::App, Duration::ZERO, &mut answer)
                    .event
                {
                    if matches!(event, Event::Completed) {
                        break;
                    }
                }
            }
        }
        answers
    }
}

/// An event of a connection of the app, with the address of its client.
enum Report {
    Accepted(SocketAddr),
    Ended(SocketAddr, Box<Server>),
}

struct App {
    address: SocketAddr,
    markers: HashSet<SocketAddr>,
    reports: mpsc::Receiver<Report>,
}

impl App {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (report, reports) = mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let (mut stream, peer) = listener.accept().await.unwrap();
                let report = report.clone();
                report.send(Report::Accepted(peer)).await.unwrap();
                tokio::spawn(async move {
                    let mut server = Server::new();
                    let mut buffer = [0; 4096];
                    while let Ok(length) = stream.read(&mut buffer).await {
                        if length == 0 {
                            break;
                        }
                        let answers = server.read(&buffer[..length]);
                        if stream.write_all(&answers).await.is_err() {
                            break;
                        }
                    }
                    drop(stream);
                    let _ = report.send(Report::Ended(peer, Box::new(server))).await;
                });
            }
        });
        Self {
            address,
            markers: HashSet::new(),
            reports,
        }
    }

    /// Waits until all connections have ended. Returns those since the last call, with the bytes they received.
    async fn ended(&mut self) -> Vec<Server> {
        // Connections are accepted in their order, so none is missed that came before this one.
        let last = TcpStream::connect(self.address).await.unwrap();
        let marker = last.local_addr().unwrap();
        self.markers.insert(marker);
        let (mut accepted, mut is_last) = (0, false);
        let mut ended = Vec::new();
        while !is_last || ended.len() < accepted {
            let report = timeout(SOON, self.reports.recv()).await;
            match report.expect("the connections end").unwrap() {
                Report::Accepted(peer) if peer == marker => is_last = true,
                Report::Accepted(_) => accepted += 1,
                // A marker of an earlier call.
                Report::Ended(peer, _) if self.markers.remove(&peer) => {}
                Report::Ended(_, server) => ended.push(*server),
            }
        }
        drop(last);
        ended
    }
}

/// Sends bytes in pieces, and returns what was received until the connection has ended.
async fn client(gateway: SocketAddr, input: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut stream = TcpStream::connect(gateway).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut rest = input;
    let mut received = Vec::new();
    for length in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).clamp(1, rest.len()));
        rest = after;
        // It fails if the gateway has closed the connection.
        if stream.write_all(piece).await.is_err() {
            break;
        }
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
    let _ = stream.shutdown().await;
    let reading = stream.read_to_end(&mut received);
    // A reset ends it too.
    let _ = timeout(SOON, reading)
        .await
        .unwrap_or_else(|_| panic!("the connection stays: {}", input.escape_ascii()));
    received
}

/// Sends an input through the gateway, and compares what the app has received.
async fn check(gateway: SocketAddr, app: &mut App, name: &str, input: &[u8], pieces: &[usize]) {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut expected = Server::new();
    expected.read(input);
    let answers = client(gateway, input, pieces).await;
    let answers = String::from_utf8_lossy(&answers);
    let ended = app.ended().await;
    assert!(ended.len() <= 1, "{name}: {} connections", ended.len());
    let none = Server::new();
    let received = ended.first().unwrap_or(&none);
    let bytes = text(&received.received);
    assert!(input.starts_with(&received.received), "{name}: {bytes}");
    assert!(
        received.refused.is_none() && !received.connects,
        "{name}: {bytes}"
    );
    let refused = expected.refused.filter(|fault| *fault != Fault::AfterLast);
    let own = answers.matches("\r\nConnection: close\r\n").count();
    match refused {
        // Of a request whose body is refused, the app may have received a part or nothing.
        Some(_) => {
            assert!(
                text(&expected.passed).starts_with(&bytes),
                "{name}: {bytes}"
            );
            assert_eq!(own, 1, "{name}: {answers}");
        }
        None => {
            assert_eq!(bytes, text(&expected.passed), "{name}");
            assert_eq!(own, usize::from(expected.connects), "{name}: {answers}");
        }
    }
    let served = answers.matches("HTTP/1.1 200 OK").count();
    assert_eq!(served, received.answered, "{name}: {answers}");
    assert_eq!(served, expected.answered, "{name}: {answers}");
}

fn start(app: &App) -> Fixture {
    Fixture::start(app.address, |settings| {
        settings.forwarding = Forwarding::None
    })
}

#[tokio::test]
async fn hostile_pipelines_reach_the_app_as_far_as_they_are_valid() {
    let mut app = App::start().await;
    let fixture = start(&app);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    for number in 0..1_500 {
        let length = next() % 60;
        let seed: Vec<u8> = (0..length).map(|_| (next() >> 32) as u8).collect();
        let input = generator::pipeline(&seed);
        let pieces: Vec<usize> = (0..5).map(|_| (next() >> 33) as usize % 40 + 1).collect();
        let pieces = if number % 3 == 0 {
            vec![input.len()]
        } else {
            pieces
        };
        let name = format!("{number}: {} in {pieces:?}", input.escape_ascii());
        check(fixture.addr(), &mut app, &name, &input, &pieces).await;
    }
}

#[tokio::test]
async fn every_variant_of_smuggling_reaches_the_app_as_far_as_it_is_valid() {
    let mut app = App::start().await;
    let fixture = start(&app);
    // HTTP/2 is not offered to the app: see `upgrade`.
    let variants = variants().into_iter();
    for variant in variants.filter(|variant| !variant.input.windows(3).any(|part| part == b"h2c")) {
        for pieces in [usize::MAX, 7, 1] {
            let name = format!("{} by {pieces}", variant.name);
            check(fixture.addr(), &mut app, &name, &variant.input, &[pieces]).await;
        }
        // Behind a valid request, so that the refusal waits for its response.
        let input = [
            b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n",
            &variant.input[..],
        ]
        .concat();
        for pieces in [usize::MAX, 30] {
            let name = format!("{} after another by {pieces}", variant.name);
            check(fixture.addr(), &mut app, &name, &input, &[pieces]).await;
        }
    }
}

#[tokio::test]
async fn bytes_after_the_last_response_end_the_connection() {
    // It does not close its connections.
    let mut app = App::start().await;
    let fixture = start(&app);
    let mut stream = TcpStream::connect(fixture.addr()).await.unwrap();
    let last = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(last).await.unwrap();
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).await.unwrap();
    let hidden = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(hidden).await.unwrap();
    let mut rest = Vec::new();
    // A reset ends it too.
    let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
    drop(stream);
    for server in app.ended().await {
        assert_eq!(
            server.received.escape_ascii().to_string(),
            last.escape_ascii().to_string()
        );
    }
}
