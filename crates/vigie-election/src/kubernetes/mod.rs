//! A lease as a Lease object of Kubernetes.
//!
//! The rules are those of client-go's `tools/leaderelection`, so the usual tools can read the Lease: it holds the name of
//! its holder and its duration; a candidate takes it over when it has not changed for that long by the candidate's own
//! clock, never by comparing clocks; and the API server accepts one of two concurrent writes. One rule is stricter: a
//! holder counts its period from before it sent the request, so its tenure ends before another candidate can take over,
//! however late an answer arrives.
//!
//! Requests go to the API server that the Pod's environment names, and only the CA of the Pod's account is trusted. The
//! token of the account is read for every request and appears in no error and no log line.

mod client;
mod cluster;
mod error;
mod lease;
mod record;
mod rights;

pub use cluster::{ACCOUNT, Cluster};
pub use error::Error;
pub(crate) use lease::Leases;
pub use lease::Settings;
#[cfg(test)]
pub(crate) use record::{Lease, new};
pub use rights::{Rights, check};
