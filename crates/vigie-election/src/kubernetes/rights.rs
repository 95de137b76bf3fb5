//! Whether this account could be elected, without being a candidate.

use http::Method;
use serde_json::{Value, json};

use crate::store::Record as _;

use super::error::Error;
use super::lease::{Leases, Settings};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// What the API server says of the Lease and of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Who holds it; `None`: nobody.
    pub holder: Option<String>,
    /// What this account may not do with it, and has to: verbs, as a Role has them.
    pub missing: Vec<&'static str>,
}

/// Asks what this account may do, and who holds the Lease. Nothing is written: a review of one's own access is not kept.
///
/// # Errors
/// When the API server cannot be asked.
pub async fn check(settings: Settings) -> Result<Rights, Error> {
    let mut leases = Leases::new(settings)?;
    let mut missing = Vec::new();
    for verb in ["get", "update", "create"] {
        if !may(&mut leases, verb).await? {
            missing.push(verb);
        }
    }
    let lease = match missing.contains(&"get") {
        true => None,
        false => leases.get().await?,
    };
    if lease.is_some() {
        // It need not be made any more.
        missing.retain(|verb| *verb != "create");
    }
    let holder = lease.map(|lease| lease.holder().to_owned());
    Ok(Rights {
        namespace: leases.namespace,
        holder: holder.filter(|holder| !holder.is_empty()),
        missing,
    })
}

async fn may(leases: &mut Leases, verb: &str) -> Result<bool, Error> {
    let what = "asking what this account may do";
    let mut resource = json!({
        "namespace": leases.namespace,
        "verb": verb,
        "group": "coordination.k8s.io",
        "resource": "leases",
    });
    // What is not there yet has no name that a Role could know it by.
    if verb != "create" {
        resource["name"] = json!(leases.name);
    }
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": resource },
    });
    let answer = leases
        .client
        .ask(what, Method::POST, REVIEWS, Some(&review));
    let review = answer.await?.object()?;
    let allowed = review.pointer("/status/allowed").and_then(Value::as_bool);
    allowed.ok_or(Error::Answer { what })
}
