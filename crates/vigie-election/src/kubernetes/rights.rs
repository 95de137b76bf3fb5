//! Checks the permissions for the Lease without becoming a candidate.

use http::Method;
use serde_json::{Value, json};

use crate::store::Record as _;

use super::error::Error;
use super::lease::{Leases, Settings};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// The state of the Lease and the permissions of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The namespace of the Lease.
    pub namespace: String,
    /// The holder, if any.
    pub holder: Option<String>,
    /// The required verbs that the account lacks, as in a Role.
    pub missing: Vec<&'static str>,
}

/// Checks the permissions of the account, and reads the holder of the Lease. Nothing is written: the API server does
/// not store a review of one's own access.
///
/// # Errors
/// If the API server cannot be asked.
pub async fn check(settings: Settings) -> Result<Rights, Error> {
    let mut leases = Leases::new(settings)?;
    let mut missing = Vec::new();
    for verb in ["get", "update", "create"] {
        if !is_allowed(&mut leases, verb).await? {
            missing.push(verb);
        }
    }
    let lease = match missing.contains(&"get") {
        true => None,
        false => leases.get().await?,
    };
    if lease.is_some() {
        // It exists, so `create` is not needed.
        missing.retain(|verb| *verb != "create");
    }
    let holder = lease.map(|lease| lease.holder().to_owned());
    Ok(Rights {
        namespace: leases.namespace,
        holder: holder.filter(|holder| !holder.is_empty()),
        missing,
    })
}

async fn is_allowed(leases: &mut Leases, verb: &str) -> Result<bool, Error> {
    let what = "asking what this account may do";
    let mut resource = json!({
        "namespace": leases.namespace,
        "verb": verb,
        "group": "coordination.k8s.io",
        "resource": "leases",
    });
    // A Role cannot restrict `create` by name.
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
