//! GET `/alerts` and `/alerts/groups`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;

use super::Api;
use super::answer::{Refusal, json};
use super::query::{Filter, Query};
use super::shape::{AlertGroup, GettableAlert, Object, ReceiverName};
use crate::dispatch::{Dispatcher, Listed, Listing};
use crate::matcher::Matcher;
use crate::{Fingerprint, Time};

/// The alerts asked for.
struct Wanted {
    filter: Filter,
    receiver: Option<Matcher>,
    receiver_matchers: Filter,
    active: bool,
    silenced: bool,
    inhibited: bool,
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, Refusal> {
        Ok(Self {
            filter: query.matchers("filter")?,
            receiver: query.receiver()?,
            receiver_matchers: query.matchers("receiver_matchers")?,
            active: query.flag("active"),
            silenced: query.flag("silenced"),
            inhibited: query.flag("inhibited"),
        })
    }

    fn alert(&self, listed: &Listed) -> bool {
        let silenced = !listed.silenced_by.is_empty() || listed.acknowledged.is_some();
        let inhibited = listed.inhibited_by.is_some();
        (self.active || silenced || inhibited)
            && (self.silenced || !silenced)
            && (self.inhibited || !inhibited)
    }

    fn receiver(&self, name: &str) -> bool {
        let named = self.receiver.as_ref();
        named.is_none_or(|receiver| receiver.matches_value(name))
            && self.receiver_matchers.matches_receiver(name)
    }
}

/// Renders the alerts of the state at one time, with the end of those without one.
async fn show(
    api: &Api,
    wanted: Wanted,
    render: impl FnOnce(&Wanted, &Listing, Time) -> Result<Response, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let resolve_timeout = (api.settings.configured)().resolve_timeout;
    let read = move |dispatcher: &Dispatcher, now: Time| {
        let listing = dispatcher.listing(now, |alert| wanted.filter.matches(&alert.labels));
        (wanted, listing, now.saturating_add(resolve_timeout))
    };
    api.show(read, move |(wanted, listing, later)| {
        render(&wanted, &listing, later)
    })
    .await
}

pub(super) async fn alerts(State(api): State<Api>, query: Query) -> Result<Response, Refusal> {
    show(&api, Wanted::read(&query)?, list).await
}

fn list(wanted: &Wanted, listing: &Listing, later: Time) -> Result<Response, Refusal> {
    let alerts = listing.alerts.iter().filter(|listed| {
        wanted.alert(listed) && listed.receivers.iter().any(|name| wanted.receiver(name))
    });
    let alerts = alerts.map(|listed| {
        let receivers: Vec<&str> = listed.receivers.iter().map(|name| &**name).collect();
        GettableAlert::new(listed, &receivers, None, later)
    });
    json(&alerts.collect::<Vec<_>>())
}

pub(super) async fn groups(State(api): State<Api>, query: Query) -> Result<Response, Refusal> {
    let muted = query.flag("muted");
    let render =
        move |wanted: &Wanted, listing: &Listing, later| list_groups(wanted, listing, later, muted);
    show(&api, Wanted::read(&query)?, render).await
}

fn list_groups(
    wanted: &Wanted,
    listing: &Listing,
    later: Time,
    muted: bool,
) -> Result<Response, Refusal> {
    let alerts: Vec<Option<&Listed>> = listing
        .alerts
        .iter()
        .map(|listed| wanted.alert(listed).then_some(listed))
        .collect();
    let groups = listing.groups.iter();
    let groups = groups.filter(|group| wanted.receiver(&group.receiver));
    let groups = groups.map(|group| {
        let members = group.alerts.iter().filter_map(|place| alerts[*place]);
        (group, members.collect::<Vec<_>>())
    });
    let groups: Vec<_> = groups.filter(|(_, members)| !members.is_empty()).collect();
    // The receivers of an alert are those of the groups that are shown.
    let mut receivers: BTreeMap<Fingerprint, Vec<&str>> = BTreeMap::new();
    for (group, members) in &groups {
        for listed in members {
            let names = receivers.entry(listed.fingerprint).or_default();
            names.push(&group.receiver);
        }
    }
    for names in receivers.values_mut() {
        names.sort_unstable();
    }
    let groups = groups
        .iter()
        .filter(|(group, _)| muted || group.muted.is_none());
    let groups = groups.map(|(group, members)| {
        let alerts = members.iter().map(|listed| {
            let names = receivers.get(&listed.fingerprint);
            let names = names.map_or(&[][..], Vec::as_slice);
            GettableAlert::new(listed, names, group.muted.as_ref(), later)
        });
        AlertGroup {
            alerts: alerts.collect(),
            labels: Object(&group.labels),
            receiver: ReceiverName {
                name: &group.receiver,
            },
        }
    });
    json(&groups.collect::<Vec<_>>())
}
