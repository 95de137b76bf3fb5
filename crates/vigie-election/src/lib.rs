//! Leader election among replicas, by a lease in Redis or a Lease object of Kubernetes.
//!
//! A [`Candidate`] runs beside the work and updates a [`Tenure`], which tells whether this process is elected. When
//! the holder of a lease dies, another candidate is elected within two periods; when it stops normally, within a
//! third of a period.
//!
//! ```no_run
//! # async fn example() -> Result<(), vigie_election::kubernetes::Error> {
//! use std::time::Duration;
//! use tokio_util::sync::CancellationToken;
//! use vigie_election::{Candidate, kubernetes::{ACCOUNT, Cluster, Settings}};
//!
//! let candidate = Candidate::in_kubernetes(Settings {
//!     cluster: Cluster::of_this_pod(ACCOUNT.as_ref())?,
//!     namespace: None,
//!     name: "vigie-exporter".to_owned(),
//!     period: Duration::from_secs(10),
//! })?;
//! let tenure = candidate.tenure();
//! tokio::spawn(candidate.run(CancellationToken::new()));
//! println!("elected: {}", tenure.holds(tokio::time::Instant::now()));
//! # Ok(())
//! # }
//! ```
//!
//! | module | content |
//! | --- | --- |
//! | `election` | when to read, when to write, until when the lease is held; pure |
//! | `store` | the interface of a store |
//! | `redis`, `kubernetes` | the stores, and a check of the permissions each needs |
//! | `candidate`, `tenure` | the task, and its result |
//!
//! The crate does not know what the elected replica does.

mod candidate;
mod election;
pub mod kubernetes;
pub mod redis;
mod store;
mod tenure;

pub use candidate::{Candidate, host_name};
pub use tenure::Tenure;
