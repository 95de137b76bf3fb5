//! `rate`, `increase`, `delta`, and their instant forms.
//!
//! The extrapolation rules are those of `extrapolatedRate` in Prometheus' `promql/functions.go`.

use crate::{
    eval::{
        column::{ABSENT, Column},
        window::{Window, Windows},
    },
    value::Sample,
};

/// The variant of the function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Whether the series is a counter: a decrease is a reset, and values below 0 are impossible.
    pub(crate) counter: bool,
    pub(crate) per_second: bool,
}

/// Evaluates one series. Resets are found once for all windows.
pub(crate) fn extrapolated(
    rate: Rate,
    samples: &[Sample],
    windows: Windows,
    resets: &mut Vec<usize>,
) -> Column {
    resets.clear();
    if rate.counter {
        let pairs = samples.windows(2).enumerate();
        let falls = pairs.filter(|(_, pair)| pair[1].value < pair[0].value);
        resets.extend(falls.map(|(at, _)| at));
    }
    let mut next = 0;
    windows.map(samples, |window| {
        while resets.get(next).is_some_and(|&at| at < window.from) {
            next += 1;
        }
        let Some(last) = window.samples.len().checked_sub(1).filter(|&last| last > 0) else {
            return ABSENT;
        };
        let mut change = window.samples[last].value - window.samples[0].value;
        for &at in &resets[next..] {
            if at >= window.from + last {
                break;
            }
            change += samples[at].value;
        }
        change * factor(rate, window, change, windows.range)
    })
}

/// The factor that extrapolates the change between the first and the last sample to the whole window.
#[inline]
fn factor(rate: Rate, window: Window<'_>, change: f64, range: i64) -> f64 {
    let last = window.samples.len() - 1;
    let (first_time, last_time) = (window.samples[0].time, window.samples[last].time);
    let start = window.end.saturating_sub(range);
    let mut to_start = first_time.saturating_sub(start) as f64 / 1000.0;
    let mut to_end = window.end.saturating_sub(last_time) as f64 / 1000.0;
    let sampled = last_time.saturating_sub(first_time) as f64 / 1000.0;
    let average = sampled / last as f64;
    // A gap of more than 1.1 times the average distance means that the series starts or ends here; it is then
    // extrapolated by half the average distance.
    let threshold = average * 1.1;
    if to_start >= threshold {
        to_start = average / 2.0;
    }
    let first = window.samples[0].value;
    if rate.counter && change > 0.0 && first >= 0.0 {
        let to_zero = sampled * (first / change);
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    if to_end >= threshold {
        to_end = average / 2.0;
    }
    let mut factor = 1.0;
    if sampled != 0.0 {
        factor = (sampled + to_start + to_end) / sampled;
    }
    if rate.per_second {
        factor /= range as f64 / 1000.0;
    }
    factor
}

/// The rate or difference of the last two samples of a window.
pub(crate) fn instant(rate: Rate, samples: &[Sample], windows: Windows) -> Column {
    windows.map(samples, |window| {
        let [.., before, last] = window.samples else {
            return ABSENT;
        };
        let change = if rate.counter && last.value < before.value {
            last.value
        } else {
            last.value - before.value
        };
        let seconds = last.time.saturating_sub(before.time) as f64 / 1000.0;
        match (rate.per_second, seconds == 0.0) {
            (_, true) => ABSENT,
            (true, false) => change / seconds,
            (false, false) => change,
        }
    })
}
