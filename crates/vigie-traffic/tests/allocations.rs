//! Reading exchanges on an open connection does not allocate.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use vigie_metrics::Registry;
use vigie_testkit::allocator::{Counting, thread};
use vigie_traffic::{Connection, Event, Limits, Settings, Side, Traffic};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const REQUEST: &[u8] = include_bytes!("../examples/request.http");
const RESPONSE: &[u8] = include_bytes!("../examples/response.http");

/// Reads pieces of `length` bytes, and returns the number of complete messages.
fn read(connection: &mut Connection, side: Side, bytes: &[u8], length: usize) -> usize {
    let mut ends = 0;
    for mut piece in bytes.chunks(length) {
        while let Some(event) = connection.read(side, Duration::ZERO, &mut piece).event {
            ends += usize::from(matches!(event, Event::End | Event::Completed));
        }
    }
    ends
}

/// The allocations of this number of exchanges.
fn allocations(connection: &mut Connection, exchanges: usize, length: usize) -> u64 {
    let before = thread::allocations();
    for _ in 0..exchanges {
        assert_eq!(read(connection, Side::Client, REQUEST, length), 1);
        assert_eq!(read(connection, Side::App, RESPONSE, length), 1);
    }
    thread::allocations() - before
}

#[test]
fn exchanges_on_an_open_connection_allocate_nothing() {
    let mut connection = Connection::new(Limits::default());
    assert!(
        allocations(&mut connection, 1, usize::MAX) > 0,
        "the first exchange allocates the list of exchanges"
    );
    assert_eq!(allocations(&mut connection, 1_000, usize::MAX), 0);
}

#[test]
fn counting_an_exchange_on_a_known_route_allocates_nothing() {
    let settings = Settings::default();
    let traffic = Traffic::new(&settings, &Registry::new(), || ()).unwrap();
    let mut connection = traffic.connection(Limits::default());
    let mut exchanges = |number: u32| {
        for _ in 0..number {
            for (side, mut bytes) in [(Side::Client, REQUEST), (Side::App, RESPONSE)] {
                while connection
                    .read(side, Duration::ZERO, &mut bytes)
                    .event
                    .is_some()
                {}
            }
        }
        thread::allocations()
    };
    // The route is learned, and its series is created.
    let before = exchanges(100);
    assert_eq!(exchanges(1_000), before);
}

#[test]
fn split_heads_allocate_nothing_after_the_first() {
    let mut connection = Connection::new(Limits::default());
    assert!(allocations(&mut connection, 1, 100) > 0);
    for length in [1, 7, 100, 536] {
        assert_eq!(allocations(&mut connection, 100, length), 0, "{length}");
    }
}

#[test]
fn a_large_head_is_not_kept() {
    let mut connection = Connection::new(Limits::default());
    let before = thread::held();
    let fields = "X: ".to_owned() + &"y".repeat(50_000);
    let head = format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n");
    read(&mut connection, Side::Client, head.as_bytes(), 1_000);
    drop((head, fields));
    let held = thread::held().wrapping_sub(before);
    assert!(held < 8 * 1024, "{held}");
}

#[test]
fn a_new_connection_holds_nothing() {
    let before = thread::held();
    let connection = Connection::new(Limits::default());
    assert_eq!(thread::held(), before);
    assert!(size_of_val(&connection) < 1_024);
}
