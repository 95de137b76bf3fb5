//! Which of several replicas is elected, by a Lease of Kubernetes.
//!
//! A [`Candidate`] runs beside the work. While the Lease is its own it says until when, and so it does whenever that changes;
//! nobody is elected at the same time. When a holder dies another is elected within two periods, when it stops in order
//! within a third of one.
//!
//! ```no_run
//! # async fn example() -> Result<(), vigie_kubernetes::Error> {
//! use std::time::Duration;
//! use tokio_util::sync::CancellationToken;
//! use vigie_kubernetes::{ACCOUNT, Candidate, Cluster, Settings};
//!
//! let settings = Settings {
//!     cluster: Cluster::of_this_pod(ACCOUNT.as_ref())?,
//!     namespace: None,
//!     name: "vigie-exporter".to_owned(),
//!     period: Duration::from_secs(10),
//! };
//! let candidate = Candidate::new(settings)?;
//! candidate.run(|until| println!("elected until {until:?}"), CancellationToken::new()).await;
//! # Ok(())
//! # }
//! ```
//!
//! The rules are those of client-go's `tools/leaderelection`, so a Lease can be read by whoever knows that: the record holds
//! its holder's name and for how long it counts; a candidate takes over when the record has not changed for that long by its
//! own clock, never by comparing clocks; and of two who write at a time the API server takes one. One rule is stricter: a
//! holder counts its period from before it asked, so it ends no later than anybody could take over, however late
//! answers are.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `election` | when to read, when to write, until when it is held: pure |
//! | `record` | the Lease as an object |
//! | `cluster`, `client` | the API server and the Pod's account; one request |
//! | `candidate`, `rights` | the task; whether it could be elected |
//!
//! The crate knows nothing of what the elected one does. It talks to the one API server that the Pod's own environment
//! names, and trusts the CA alone that the Pod's account has. The account's token is read for every request and stands in no
//! error and no log.

mod candidate;
mod client;
mod cluster;
mod election;
mod error;
mod record;
mod rights;

pub use candidate::{Candidate, Settings};
pub use cluster::{ACCOUNT, Cluster};
pub use error::Error;
pub use rights::{Rights, check};
