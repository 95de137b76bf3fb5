//! Functions of native histograms, alone or mixed with floats.

pub(crate) mod changes;
pub(crate) mod notes;
pub(crate) mod rate;
pub(crate) mod total;

use crate::{
    histogram::Histogram,
    value::{Sample, Samples},
};

/// One of the samples of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point<'a> {
    Float(f64),
    Histogram(&'a Histogram),
}

/// The samples of both kinds in order of time.
pub(crate) fn merged(samples: Samples<'_>) -> impl Iterator<Item = (i64, Point<'_>)> {
    let mut floats = samples.floats.iter().peekable();
    let mut histograms = samples.histograms.iter().peekable();
    std::iter::from_fn(move || {
        let next = histograms.peek().map(|one| one.time);
        let float = floats.next_if(|one| next.is_none_or(|next| one.time < next));
        if let Some(&Sample { time, value }) = float {
            return Some((time, Point::Float(value)));
        }
        let one = histograms.next()?;
        Some((one.time, Point::Histogram(&one.histogram)))
    })
}
