//! The Lease as an object of the API server (`coordination.k8s.io/v1`).
//!
//! Unknown fields are preserved.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::store::Record;

/// A Lease.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lease(Value);

impl Lease {
    /// `None` if the object is not a Lease, or has no version, without which a conflict could not be detected.
    pub(crate) fn of(object: Value) -> Option<Self> {
        let version = object.pointer("/metadata/resourceVersion");
        let is_lease = object["kind"] == "Lease" && version.is_some_and(Value::is_string);
        let fits = object["spec"].is_object() || object["spec"].is_null();
        (is_lease && fits).then_some(Self(object))
    }

    /// Its duration; `None` if the field is absent.
    pub(crate) fn duration(&self) -> Option<Duration> {
        let seconds = self.0["spec"]["leaseDurationSeconds"].as_u64()?;
        // The API server stores 32 bits.
        Some(Duration::from_secs(seconds.min(u64::from(u32::MAX))))
    }

    /// The same, held by `me` from `now` on: renewed if it was already held by `me`, otherwise acquired.
    pub(crate) fn held_by(mut self, me: &str, period: Duration, now: Timestamp) -> Value {
        let is_renewal = self.holder() == me;
        let spec = &mut self.0["spec"];
        if !is_renewal {
            let transitions = spec["leaseTransitions"].as_i64().unwrap_or(0);
            let transitions = transitions.saturating_add(1).clamp(0, i64::from(i32::MAX));
            spec["leaseTransitions"] = json!(transitions);
            spec["holderIdentity"] = json!(me);
            spec["acquireTime"] = micro_time(now);
        }
        spec["leaseDurationSeconds"] = seconds(period);
        spec["renewTime"] = micro_time(now);
        self.0
    }

    /// The same without a holder.
    pub(crate) fn released(mut self, now: Timestamp) -> Value {
        let spec = &mut self.0["spec"];
        spec["holderIdentity"] = json!("");
        spec["leaseDurationSeconds"] = json!(1);
        spec["renewTime"] = micro_time(now);
        self.0
    }
}

impl Record for Lease {
    fn holder(&self) -> &str {
        self.0["spec"]["holderIdentity"]
            .as_str()
            .unwrap_or_default()
    }

    fn lasts(&self, period: Duration) -> Option<Duration> {
        Some(self.duration().unwrap_or(period))
    }

    /// Compares only the fields that candidates write: adding a label does not renew a Lease.
    fn is_unchanged(&self, before: &Self) -> bool {
        self.0["spec"] == before.0["spec"]
    }
}

/// A new Lease, held by `me` from `now` on.
pub(crate) fn new(name: &str, me: &str, period: Duration, now: Timestamp) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": name },
        "spec": {
            "holderIdentity": me,
            "leaseDurationSeconds": seconds(period),
            "acquireTime": micro_time(now),
            "renewTime": micro_time(now),
            "leaseTransitions": 0,
        },
    })
}

/// Whole seconds, rounded up.
fn seconds(period: Duration) -> Value {
    let whole = period
        .as_secs()
        .saturating_add(u64::from(period.subsec_nanos() > 0));
    json!(whole.clamp(1, i32::MAX as u64))
}

/// RFC 3339 with exactly six digits: a `MicroTime`.
fn micro_time(time: Timestamp) -> Value {
    json!(format!("{time:.6}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_lease_is_created_acquired_renewed_and_released() {
        let period = Duration::from_millis(1_500);
        let mut object = new("l", "a", period, at("2026-11-24T12:00:00Z"));
        assert_eq!(
            object["spec"],
            json!({
                "holderIdentity": "a",
                "leaseDurationSeconds": 2,
                "acquireTime": "2026-11-24T12:00:00.000000Z",
                "renewTime": "2026-11-24T12:00:00.000000Z",
                "leaseTransitions": 0,
            })
        );
        assert_eq!(Lease::of(object.clone()), None, "it has no version yet");
        object["metadata"]["resourceVersion"] = json!("7");
        object["spec"]["strategy"] = json!("of a later version");
        let made = Lease::of(object).unwrap();

        let now = at("2026-11-24T12:00:01.0000019Z");
        let renewed = made.clone().held_by("a", Duration::from_secs(9), now);
        assert_eq!(renewed["spec"]["renewTime"], "2026-11-24T12:00:01.000001Z");
        assert_eq!(
            renewed["spec"]["acquireTime"],
            "2026-11-24T12:00:00.000000Z"
        );
        assert_eq!(renewed["spec"]["leaseDurationSeconds"], 9);
        assert_eq!(renewed["spec"]["leaseTransitions"], 0);
        let renewed = Lease::of(renewed).unwrap();
        assert!(!renewed.is_unchanged(&made));

        let taken = renewed.held_by("b", period, at("2026-11-24T12:00:09Z"));
        assert_eq!(taken["spec"]["acquireTime"], "2026-11-24T12:00:09.000000Z");
        assert_eq!(taken["spec"]["leaseTransitions"], 1);
        assert_eq!(taken["spec"]["strategy"], "of a later version");
        assert_eq!(taken["metadata"]["resourceVersion"], "7");
        let taken = Lease::of(taken).unwrap();
        assert_eq!(
            (taken.holder(), taken.duration()),
            ("b", Some(Duration::from_secs(2)))
        );

        let released = Lease::of(taken.released(now)).unwrap();
        assert_eq!(
            (released.holder(), released.duration()),
            ("", Some(Duration::from_secs(1)))
        );
    }

    #[test]
    fn other_objects_are_none_and_an_empty_lease_has_no_holder() {
        let with = |spec: Value| json!({"kind": "Lease", "metadata": {"resourceVersion": "1"}, "spec": spec});
        let empty = Lease::of(with(Value::Null)).unwrap();
        assert_eq!((empty.holder(), empty.duration()), ("", None));
        let taken = empty.held_by("a", Duration::from_secs(1), Timestamp::UNIX_EPOCH);
        assert_eq!(taken["spec"]["leaseTransitions"], 1);
        for wrong in [
            with(json!("text")),
            json!({"kind": "Status", "metadata": {"resourceVersion": "1"}}),
            json!({"kind": "Lease"}),
            Value::Null,
        ] {
            assert_eq!(Lease::of(wrong), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_lease_with_arbitrary_fields_can_be_acquired(
            duration in proptest::option::of(proptest::num::i64::ANY),
            transitions in proptest::num::i64::ANY,
        ) {
            let object = json!({
                "kind": "Lease",
                "metadata": {"resourceVersion": "1"},
                "spec": {"leaseDurationSeconds": duration, "leaseTransitions": transitions, "holderIdentity": 3},
            });
            let record = Lease::of(object).unwrap();
            let _ = record.duration();
            let taken = record.held_by("a", Duration::MAX, Timestamp::MAX);
            let number = |field: &str| taken["spec"][field].as_i64().unwrap();
            proptest::prop_assert!((0..=i64::from(i32::MAX)).contains(&number("leaseTransitions")));
            proptest::prop_assert_eq!(number("leaseDurationSeconds"), i64::from(i32::MAX));
        }
    }
}
