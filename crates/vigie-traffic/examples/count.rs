//! Reads exchanges on one connection, to count instructions:
//!
//! ```sh
//! cargo build --release -p vigie-traffic --example count
//! valgrind --tool=callgrind target/release/examples/count 20000
//! ```
//!
//! The difference between two numbers of exchanges is the cost of those between.

use std::hint::black_box;
use std::time::Duration;

use vigie_traffic::{Connection, Limits, Side};

const REQUEST: &[u8] = include_bytes!("request.http");
const RESPONSE: &[u8] = include_bytes!("response.http");

fn main() {
    let exchanges = std::env::args().nth(1);
    let exchanges = exchanges.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut connection = Connection::new(Limits::default());
    for _ in 0..exchanges {
        for (side, bytes) in [(Side::Client, REQUEST), (Side::App, RESPONSE)] {
            let mut input = black_box(bytes);
            while let Some(event) = connection.read(side, Duration::ZERO, &mut input).event {
                black_box(event);
            }
        }
    }
}
