//! Delivery of messages over HTTP and SMTP.
//!
//! [`Sender::send`] delivers one message to one integration, once: retries, order and the outbox are the caller's. Each
//! kind of receiver has a module with a pure function from the texts to the request, within the receiver's limits, and
//! one from the answer to the failure. `http` and `email` do the I/O, within a deadline and with a bounded answer.
//!
//! URLs and tokens are secrets: no error and no log line contains them.

mod connect;
mod discord;
mod email;
mod failure;
pub(crate) mod http;
mod json;
mod ntfy;
mod pagerduty;
mod pushover;
mod render;
mod secret;
mod sender;
mod slack;
mod teams;
mod telegram;
mod text;
mod webhook;

pub use email::is_mailbox;
pub use failure::{Cause, Failure};
pub use sender::{Sender, Settings};
