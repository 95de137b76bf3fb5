//! HTTP and Engine.IO traffic, read from the bytes of connections: routes, requests, sessions. Times and bytes are
//! arguments; there are no clocks, sockets or tasks.
//!
//! [`Traffic`] holds what the connections of one app share: its routes, metrics and sessions. [`Observed`] is a connection
//! whose exchanges are counted while it is read.
//!
//! # Framing
//! A [`Connection`] knows where messages begin and end, which response belongs to which request, and how each exchange ended.
//!
//! [`Connection`] reads the bytes of both directions and returns events. It has two users with different needs:
//!
//! - A gateway forwards bytes unmodified. Every [`Step`] contains the bytes that may be forwarded, in order; bytes of an
//!   incomplete or refused message head are never among them. A message whose end another HTTP implementation could
//!   find elsewhere is refused with a [`Fault`].
//! - A capture sees packets, may miss some, and may begin in the middle of a connection. [`Connection::skip`] continues
//!   after missing bytes as far as their meaning is known, [`Connection::abandon`] gives up what is not known, and
//!   [`Connection::resume`] begins again.
//!
//! Each byte is searched for a line end once and parsed once. A head that arrives in one piece is not copied; the parts
//! of a split one are held, up to [`Limits`].
//!
//! ```
//! use std::time::Duration;
//! use vigie_traffic::{Connection, Event, Limits, Side};
//!
//! let mut connection = Connection::new(Limits::default());
//! let mut input: &[u8] = b"GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n";
//! while let Some(event) = connection.read(Side::Client, Duration::ZERO, &mut input).event {
//!     if let Event::Request(head) = event {
//!         assert_eq!(head.target(), "/orders/7");
//!     }
//! }
//! ```

mod engineio;
mod hex;
mod http1;
mod known;
pub mod metrics;
mod observed;
mod record;
mod routes;
mod stalls;
mod streams;
mod traffic;
mod transaction;
mod tunnel;

pub use http1::{
    Body, Close, Connection, Event, Exchange, Fault, Fields, Limits, Outcome, RequestHead,
    ResponseHead, Side, Step, Version,
};
pub use known::{KnownRoutes, SavedRoutes};
pub use observed::{Ended, Observed};
pub use routes::{
    FoldedTemplate, ListedRoute, PatternError, RouteList, RouteOrigin, SavedError, Unrequested,
    is_saved_routes, validate_pattern,
};
pub use traffic::{Settings, Traffic};
