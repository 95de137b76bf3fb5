//! The objects and responses of the API server: the rules of `coordination.k8s.io/v1`
//! (`pkg/apis/coordination/validation` and `pkg/registry/coordination/lease` in Kubernetes) and of all objects
//! (`apiserver/pkg/registry`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

const LEASES: &str = "leases.coordination.k8s.io";

/// The relevant parts of a request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) token: Option<String>,
    pub(super) is_json: bool,
    /// `None` if there is no body or it is not JSON.
    pub(super) body: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Objects {
    namespace: String,
    token: String,
    rotations: u32,
    verbs: BTreeSet<String>,
    leases: BTreeMap<String, Value>,
    /// Methods and paths so far.
    pub(super) asked: Vec<String>,
    /// One counter for all objects, which unrelated changes increase, too.
    version: u64,
}

type Answer = (u16, Value);

impl Objects {
    pub(super) fn new(namespace: &str, token: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            token: token.to_owned(),
            rotations: 0,
            verbs: ["get", "create", "update"].map(String::from).into(),
            leases: BTreeMap::new(),
            asked: Vec::new(),
            version: 1_000,
        }
    }

    pub(super) fn allow(&mut self, verbs: &[&str]) {
        self.verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
    }

    pub(super) fn rotate_token(&mut self) -> String {
        self.rotations += 1;
        self.token = format!("token-{}", self.rotations);
        self.token.clone()
    }

    pub(super) fn lease(&self, name: &str) -> Option<Value> {
        self.leases.get(name).cloned()
    }

    pub(super) fn edit(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let lease = self.lease(name);
        let mut lease = lease.unwrap_or_else(|| panic!("there is no Lease {name}"));
        change(&mut lease);
        self.keep(name, lease);
    }

    pub(super) fn delete(&mut self, name: &str) {
        self.leases.remove(name);
    }

    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if request.token.as_ref() != Some(&self.token) {
            return failure(401, "Unauthorized", "Unauthorized");
        }
        let parts: Vec<_> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), &parts[..]) {
            (
                "POST",
                [
                    "apis",
                    "authorization.k8s.io",
                    "v1",
                    "selfsubjectaccessreviews",
                ],
            ) => self.review(request),
            (
                method,
                [
                    "apis",
                    "coordination.k8s.io",
                    "v1",
                    "namespaces",
                    namespace,
                    "leases",
                    name @ ..,
                ],
            ) if name.len() < 2 => {
                let name = name.first().copied();
                self.of_leases(method, namespace, name, request)
            }
            _ => (404, json!("404 page not found")),
        }
    }

    fn review(&self, request: &Request) -> Answer {
        let Some(mut review) = request.body.clone() else {
            return failure(400, "BadRequest", "no body");
        };
        let resource = &review["spec"]["resourceAttributes"];
        let verb = resource["verb"].as_str().unwrap_or_default();
        // A Role with resource names cannot allow `create`.
        let is_named = resource["name"].is_string();
        let allowed = resource["group"] == "coordination.k8s.io"
            && resource["resource"] == "leases"
            && resource["namespace"] == *self.namespace
            && self.verbs.contains(verb)
            && (verb != "create" || !is_named);
        review["status"] = json!({ "allowed": allowed });
        (201, review)
    }

    fn of_leases(
        &mut self,
        method: &str,
        namespace: &str,
        name: Option<&str>,
        request: &Request,
    ) -> Answer {
        let verb = match (method, name) {
            ("GET", Some(_)) => "get",
            ("POST", None) => "create",
            ("PUT", Some(_)) => "update",
            _ => return failure(405, "MethodNotAllowed", "not among what is needed here"),
        };
        let shown = name.map(|name| format!(" {name:?}")).unwrap_or_default();
        // With RBAC, other namespaces are forbidden.
        if namespace != self.namespace || !self.verbs.contains(verb) {
            let user = format!("system:serviceaccount:{}:vigie", self.namespace);
            let message = format!(
                "{LEASES}{shown} is forbidden: User {user:?} cannot {verb} resource \"leases\" in API group \
                 \"coordination.k8s.io\" in the namespace {namespace:?}"
            );
            return failure(403, "Forbidden", &message);
        }
        match (verb, name) {
            ("get", Some(name)) => match self.leases.get(name) {
                Some(lease) => (200, lease.clone()),
                None => failure(404, "NotFound", &format!("{LEASES}{shown} not found")),
            },
            (_, name) => match valid(request) {
                Ok(lease) => match name {
                    None => self.create(lease),
                    Some(name) => self.update(name, lease),
                },
                Err(answer) => answer,
            },
        }
    }

    fn create(&mut self, mut lease: Value) -> Answer {
        let Some(name) = lease["metadata"]["name"].as_str().map(str::to_owned) else {
            return failure(422, "Invalid", "metadata.name: Required value");
        };
        if lease["metadata"].get("resourceVersion").is_some() {
            let message = "resourceVersion should not be set on objects to be created";
            return failure(400, "BadRequest", message);
        }
        if self.leases.contains_key(&name) {
            let message = format!("{LEASES} {name:?} already exists");
            return failure(409, "AlreadyExists", &message);
        }
        lease["metadata"]["namespace"] = json!(self.namespace);
        lease["metadata"]["uid"] = json!(format!("uid-{}", self.version));
        lease["metadata"]["creationTimestamp"] = json!("2026-11-24T12:00:00Z");
        (201, self.keep(&name, lease))
    }

    fn update(&mut self, name: &str, lease: Value) -> Answer {
        let metadata = &lease["metadata"];
        if metadata["name"] != name {
            let message = "the name of the object does not match the name on the URL".to_owned();
            return failure(400, "BadRequest", &message);
        }
        let conflict = |why: &str| {
            let message = format!("Operation cannot be fulfilled on {LEASES} {name:?}: {why}");
            failure(409, "Conflict", &message)
        };
        let Some(current) = self.leases.get(name) else {
            // An update may create a Lease, unless it has a resource version.
            return conflict(
                "StorageError: invalid object, Precondition failed: UID in precondition",
            );
        };
        let Some(version) = metadata.get("resourceVersion") else {
            let message = format!(
                "{LEASES} {name:?} is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
            );
            return failure(422, "Invalid", &message);
        };
        if *version != current["metadata"]["resourceVersion"] {
            return conflict(
                "the object has been modified; please apply your changes to the latest version and try again",
            );
        }
        if lease == *current {
            return (200, lease);
        }
        (200, self.keep(name, lease))
    }

    fn keep(&mut self, name: &str, mut lease: Value) -> Value {
        self.version += 7;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.leases.insert(name.to_owned(), lease.clone());
        lease
    }
}

/// A `Status` object.
pub(super) fn failure(code: u16, reason: &str, message: &str) -> Answer {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    (code, status)
}

/// The Lease in a body, if the API server accepts it.
fn valid(request: &Request) -> Result<Value, Answer> {
    if !request.is_json {
        let message = "the body of the request was in an unknown format";
        return Err(failure(415, "UnsupportedMediaType", message));
    }
    let bad = |what: &str| {
        let message = format!("Lease in version \"v1\" cannot be handled as a Lease: {what}");
        failure(400, "BadRequest", &message)
    };
    let lease = request.body.clone().ok_or_else(|| bad("no JSON"))?;
    if lease["apiVersion"] != "coordination.k8s.io/v1" || lease["kind"] != "Lease" {
        return Err(bad("no kind match for it"));
    }
    let spec = &lease["spec"];
    for field in ["acquireTime", "renewTime"] {
        match &spec[field] {
            Value::Null => {}
            Value::String(time) if is_micro_time(time) => {}
            other => return Err(bad(&format!("parsing time {other}"))),
        }
    }
    if !matches!(spec["holderIdentity"], Value::Null | Value::String(_)) {
        return Err(bad("cannot unmarshal holderIdentity into a string"));
    }
    for (field, least) in [("leaseDurationSeconds", 1), ("leaseTransitions", 0)] {
        let number = match &spec[field] {
            Value::Null => continue,
            number => number
                .as_i64()
                .and_then(|number| i32::try_from(number).ok()),
        };
        let number =
            number.ok_or_else(|| bad(&format!("cannot unmarshal {field} into an int32")))?;
        if number < least {
            let message =
                format!("spec.{field}: Invalid value: {number}: must be at least {least}");
            return Err(failure(422, "Invalid", &message));
        }
    }
    Ok(lease)
}

/// `2006-01-02T15:04:05.000000Z07:00` in Go: exactly six digits.
fn is_micro_time(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.dddddd";
    let Some((time, zone)) = text.split_at_checked(pattern.len()) else {
        return false;
    };
    let fits = time
        .chars()
        .zip(pattern.chars())
        .all(|(found, wanted)| match wanted {
            'd' => found.is_ascii_digit(),
            wanted => found == wanted,
        });
    let is_offset = zone.len() == 6 && zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':';
    fits && (zone == "Z" || is_offset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/shop/leases";

    fn ask(objects: &mut Objects, method: &str, path: &str, body: Option<Value>) -> Answer {
        objects.answer(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            token: Some("t".to_owned()),
            is_json: true,
            body,
        })
    }

    fn lease(spec: &Value) -> Value {
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": spec})
    }

    #[test]
    fn a_lease_is_made_once_and_replaced_by_who_saw_it_last() {
        let mut objects = Objects::new("shop", "t");
        let named = format!("{PATH}/l");
        assert_eq!(ask(&mut objects, "GET", &named, None).0, 404);
        let spec = json!({"holderIdentity": "a", "renewTime": "2026-11-24T12:00:00.000000Z"});
        let (status, made) = ask(&mut objects, "POST", PATH, Some(lease(&spec)));
        assert_eq!(status, 201, "{made}");
        let (status, again) = ask(&mut objects, "POST", PATH, Some(lease(&spec)));
        assert_eq!((status, &again["reason"]), (409, &json!("AlreadyExists")));
        assert_eq!(ask(&mut objects, "GET", &named, None), (200, made.clone()));

        let mut mine = made.clone();
        mine["spec"]["holderIdentity"] = json!("b");
        let (status, written) = ask(&mut objects, "PUT", &named, Some(mine.clone()));
        assert_eq!(
            (status, &written["spec"]["holderIdentity"]),
            (200, &json!("b"))
        );
        let (status, late) = ask(&mut objects, "PUT", &named, Some(mine));
        assert_eq!((status, &late["reason"]), (409, &json!("Conflict")));
        let (status, _) = ask(&mut objects, "PUT", &named, Some(lease(&spec)));
        assert_eq!(status, 422, "without a version");
        objects.delete("l");
        assert_eq!(ask(&mut objects, "PUT", &named, Some(written)).0, 409);
    }

    #[test]
    fn what_the_real_one_would_not_take() {
        let mut objects = Objects::new("shop", "t");
        for (spec, expected) in [
            (json!({"renewTime": "2026-11-24T12:00:00Z"}), 400),
            (json!({"renewTime": "2026-11-24T12:00:00.0000000Z"}), 400),
            (json!({"renewTime": "2026-11-24 12:00:00.000000Z"}), 400),
            (json!({"leaseDurationSeconds": 0}), 422),
            (json!({"leaseDurationSeconds": 1.5}), 400),
            (json!({"leaseTransitions": -1}), 422),
            (json!({"holderIdentity": 1}), 400),
            (
                json!({"renewTime": "2026-11-24T12:00:00.000000+01:00"}),
                201,
            ),
        ] {
            let (status, said) = ask(&mut objects, "POST", PATH, Some(lease(&spec)));
            assert_eq!(status, expected, "{spec}: {said}");
        }
    }

    #[test]
    fn who_may_not_is_told() {
        let mut objects = Objects::new("shop", "t");
        let stranger = Request::default();
        assert_eq!(objects.answer(&stranger).0, 401);
        let elsewhere = PATH.replace("shop", "bank");
        assert_eq!(
            ask(&mut objects, "GET", &format!("{elsewhere}/l"), None).0,
            403
        );
        objects.allow(&["get"]);
        let (status, said) = ask(&mut objects, "POST", PATH, Some(lease(&json!({}))));
        assert_eq!(status, 403);
        assert!(
            said["message"]
                .as_str()
                .unwrap()
                .contains("cannot create resource"),
            "{said}"
        );
    }
}
