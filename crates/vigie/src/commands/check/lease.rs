//! Whether this replica could be elected to expose the queues. The lease is not taken.

use tokio::time::Instant;
use vigie_config::{LeaseIn, Settings};
use vigie_election::{kubernetes, redis};

use super::Row;
use crate::election;

const WHAT: &str = "lease";

pub(super) async fn lease(settings: &Settings, redis: &vigie_bullmq::Settings) -> Row {
    match settings.queues.lease_in {
        LeaseIn::Redis => in_redis(settings, redis).await,
        LeaseIn::Kubernetes => in_kubernetes(settings).await,
    }
}

async fn in_redis(settings: &Settings, watched: &vigie_bullmq::Settings) -> Row {
    let lease = election::in_redis(&settings.queues, watched);
    let key = lease.key.clone();
    let start = Instant::now();
    let verdict = match redis::check(lease).await {
        Ok(holder) => Ok(who(holder.as_deref())),
        Err(error) => {
            let advice = format!(
                "give the user ~{key} +watch +unwatch +multi +exec +get +set +pexpire +del"
            );
            Err((error.to_string(), advice))
        }
    };
    Row {
        what: WHAT,
        place: format!("redis key {key}"),
        verdict,
        warns: false,
        took: start.elapsed(),
    }
}

async fn in_kubernetes(settings: &Settings) -> Row {
    let name = &settings.queues.lease_name;
    let start = Instant::now();
    let mut place = format!("kubernetes {name}");
    let verdict = match election::in_kubernetes(&settings.queues) {
        Ok(lease) => match kubernetes::check(lease).await {
            Ok(rights) => {
                place = format!("kubernetes {}/{name}", rights.namespace);
                match rights.missing[..] {
                    [] => Ok(who(rights.holder.as_deref())),
                    _ => {
                        let verbs = rights.missing.join(", ");
                        let text = format!("this account may not {verbs} the Lease");
                        let advice =
                            "bind a Role with these verbs for leases in coordination.k8s.io to it";
                        Err((text, advice.to_owned()))
                    }
                }
            }
            Err(error) => {
                let advice = match error {
                    kubernetes::Error::Account { .. } => {
                        "set automountServiceAccountToken: true for the Pod"
                    }
                    kubernetes::Error::Refused { status: 401, .. } => {
                        "is the token of this cluster, and did it not expire?"
                    }
                    _ => "may the Pod reach the API server? see its NetworkPolicies",
                };
                Err((error.to_string(), advice.to_owned()))
            }
        },
        Err(error) => {
            let advice = r#"outside of Kubernetes use lease_in = "redis""#;
            Err((error.root_cause().to_string(), advice.to_owned()))
        }
    };
    Row {
        what: WHAT,
        place,
        verdict,
        warns: false,
        took: start.elapsed(),
    }
}

fn who(holder: Option<&str>) -> String {
    match holder {
        Some(holder) => format!("may be elected; the current leader is {holder}"),
        None => "may be elected; currently there is no leader".to_owned(),
    }
}
