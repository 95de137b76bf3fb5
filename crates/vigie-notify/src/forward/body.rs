//! The body of a request: alerts as Alertmanager's API v2 takes them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::table::Item;
use crate::Time;
use crate::alert::State;
use crate::time::rfc3339;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'a str, &'a str>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    generator_url: &'a str,
}

/// The body for these alerts. Firing ones end at `valid_until` unless they are sent again.
pub(super) fn body(items: &[Item], now: Time, valid_until: Time) -> Vec<u8> {
    let alerts = items.iter().map(|item| {
        let alert = &item.alert;
        let annotations = alert.annotations.iter();
        let ends_at = match alert.state(now) {
            State::Resolved => alert.ends_at.unwrap_or(now),
            State::Firing | State::Unknown => valid_until,
        };
        Posted {
            labels: alert.labels.iter().collect(),
            annotations: annotations.map(|(name, text)| (&**name, &**text)).collect(),
            starts_at: rfc3339(alert.starts_at),
            ends_at: rfc3339(ends_at),
            generator_url: &alert.generator_url,
        }
    });
    let alerts: Vec<_> = alerts.collect();
    // Texts and times are always valid JSON.
    serde_json::to_vec(&alerts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use serde_json::Value;
    use vigie_promql::Labels;

    use super::*;
    use crate::Alert;

    /// A firing alert that ended in 1970 would be resolved.
    #[test]
    fn a_time_beyond_those_of_rfc_3339_is_the_last_one() {
        let alert = Arc::new(Alert::firing(Labels::new([("alertname", "A")]), 0));
        let item = Item::of(alert);
        let body: Value = serde_json::from_slice(&body(&[item], 0, Time::MAX)).unwrap();
        assert_eq!(body[0]["startsAt"], "1970-01-01T00:00:00.000Z");
        assert_eq!(body[0]["endsAt"], "9999-12-30T22:00:00.999Z");
    }
}
