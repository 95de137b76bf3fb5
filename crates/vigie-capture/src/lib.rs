//! HTTP and Socket.IO measured from the packets of the network: nothing is sent, delayed or changed, and the app is not
//! configured for it. Needs CAP_NET_RAW and Linux; reads HTTP/1 without TLS over TCP.
//!
//! | module | contents |
//! | --- | --- |
//! | [`filter`] | which packets the kernel copies, and how much of them |
//! | [`ring`] | the packets, in memory shared with the kernel: the only I/O, and the only `unsafe` |
//! | [`packet`] | the headers of IP and TCP |
//! | [`stream`] | one direction of a connection: its bytes in their order, and what is missing |
//! | `connection`, `reader`, `table` | both directions, their HTTP, and all connections |
//! | [`Source`] | the thread that reads the ring and publishes the metrics |
//! | [`loss`], [`clock`] | the share that is missed, and times without steps |
//!
//! All modules but [`ring`] and [`Source`] are pure: packets and times are arguments.

mod capture;
pub mod clock;
mod connection;
mod counts;
pub mod filter;
mod listen;
mod look;
pub mod loss;
pub mod metrics;
pub mod packet;
mod protocol;
mod published;
mod reader;
pub mod ring;
mod settings;
mod source;
pub mod stream;
mod table;

pub use capture::Capture;
pub use counts::{Counts, Sides};
pub use listen::{Listen, ListenError};
pub use look::{GRANTS, Look, look};
pub use protocol::Protocol;
pub use ring::RingError;
pub use settings::Settings;
pub use source::Source;
pub use table::Limits;
