//! Hints about counter resets of native histograms.
//!
//! As in Prometheus, the histograms of which only the count and the sum are used are compared sample by sample, so that
//! their hints are known. Those of a subquery's results are not: the samples between them are left out.

use std::sync::Arc;

use crate::{
    histogram::{Histogram, ResetHint},
    value::HistogramSample,
};

/// The histograms with their hints determined, where they are unknown.
pub(super) fn determined(samples: &[HistogramSample]) -> Vec<HistogramSample> {
    let mut before: Option<&Histogram> = None;
    let determined = samples.iter().map(|sample| {
        let known = sample.histogram.hint != ResetHint::Unknown;
        let hint = match before.replace(&sample.histogram).filter(|_| !known) {
            None => sample.histogram.hint,
            Some(before) if sample.histogram.is_reset_after(before) => ResetHint::Reset,
            Some(_) => ResetHint::NotReset,
        };
        HistogramSample {
            time: sample.time,
            histogram: with_hint(&sample.histogram, hint),
        }
    });
    determined.collect()
}

/// A result of a subquery.
pub(super) fn detached(histogram: &Arc<Histogram>) -> Arc<Histogram> {
    match histogram.hint {
        ResetHint::Reset | ResetHint::NotReset => with_hint(histogram, ResetHint::Unknown),
        ResetHint::Unknown | ResetHint::Gauge => Arc::clone(histogram),
    }
}

fn with_hint(histogram: &Arc<Histogram>, hint: ResetHint) -> Arc<Histogram> {
    match histogram.hint == hint {
        true => Arc::clone(histogram),
        false => Arc::new(Histogram {
            hint,
            ..(**histogram).clone()
        }),
    }
}
