//! HTTP/1.1 framing.

mod app;
mod body;
mod chars;
mod chunks;
mod client;
mod connection;
mod event;
mod exchange;
mod fault;
mod framing;
mod head;
mod limits;
mod line;
mod lines;
mod section;
mod split;

pub use connection::{Close, Connection, Side};
pub use event::{Event, Step};
pub use exchange::{Exchange, Outcome};
pub use fault::Fault;
pub use framing::Body;
pub use head::{Fields, RequestHead, ResponseHead};
pub use limits::Limits;
pub use line::Version;
