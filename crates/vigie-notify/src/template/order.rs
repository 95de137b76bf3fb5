//! The order of alerts in a message, which is Alertmanager's.

use std::cmp::Ordering;

use vigie_promql::Labels;

use crate::{Alert, Message};

/// The labels that count before all others.
const FIRST: [&str; 2] = ["job", "instance"];

/// The alerts of a message and whether they fire: by job and instance, then by the number of labels, then by labels.
#[must_use]
pub fn ordered(message: &Message) -> Vec<(&Alert, bool)> {
    let firing = message.firing.iter().map(|alert| (alert, true));
    let resolved = message.resolved.iter().map(|alert| (alert, false));
    let mut all: Vec<_> = firing.chain(resolved).collect();
    all.sort_by(|(a, _), (b, _)| order(&a.labels, &b.labels));
    all
}

fn order(a: &Labels, b: &Labels) -> Ordering {
    // A label is never empty; an alert without it comes last.
    let first = |name| {
        let (a, b) = (a.get(name), b.get(name));
        a.is_empty().cmp(&b.is_empty()).then_with(|| a.cmp(b))
    };
    let firsts = FIRST.into_iter().map(first);
    firsts
        .fold(Ordering::Equal, Ordering::then)
        .then_with(|| a.len().cmp(&b.len()))
        .then_with(|| by_label(a, b))
}

/// The first label that differs decides; an alert without the label comes first.
fn by_label(a: &Labels, b: &Labels) -> Ordering {
    let (mut left, mut right) = (a.iter(), b.iter());
    loop {
        return match (left.next(), right.next()) {
            (Some(own), Some(other)) if own == other => continue,
            (Some((own, value)), Some((other, others))) => {
                other.cmp(own).then_with(|| value.cmp(others))
            }
            (own, other) => own.is_some().cmp(&other.is_some()),
        };
    }
}
