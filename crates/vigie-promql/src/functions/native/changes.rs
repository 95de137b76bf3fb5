//! `changes` and `resets` of floats mixed with native histograms.

use super::{Point, merged};
use crate::value::Samples;

/// The number of samples that differ from their predecessor.
pub(crate) fn changes(samples: Samples<'_>) -> f64 {
    count(samples, |before, now| match (before, now) {
        (Point::Float(before), Point::Float(now)) => {
            before != now && !(before.is_nan() && now.is_nan())
        }
        (Point::Histogram(before), Point::Histogram(now)) => !now.same(before),
        _ => true,
    })
}

/// The number of counter resets.
pub(crate) fn resets(samples: Samples<'_>) -> f64 {
    count(samples, |before, now| match (before, now) {
        (Point::Float(before), Point::Float(now)) => now < before,
        (Point::Histogram(before), Point::Histogram(now)) => now.is_reset_after(before),
        _ => true,
    })
}

fn count(samples: Samples<'_>, differ: impl Fn(Point<'_>, Point<'_>) -> bool) -> f64 {
    let points = merged(samples).map(|(_, point)| point);
    pairs(points)
        .filter(|&(before, now)| differ(before, now))
        .count() as f64
}

/// Neighbouring items.
fn pairs<T: Copy>(mut items: impl Iterator<Item = T>) -> impl Iterator<Item = (T, T)> {
    let mut before = items.next();
    items.filter_map(move |now| Some((before.replace(now)?, now)))
}
