//! `rate`, `increase`, `delta`, and their instant forms.
//!
//! The extrapolation rules are those of `extrapolatedRate` in Prometheus' `promql/functions.go`.

use crate::{
    eval::{
        column::{ABSENT, Column},
        window::Windows,
    },
    value::Sample,
};

/// The variant of the function.
#[derive(Clone, Copy, Debug, Default)]
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
        let sampled = Sampled {
            times: (window.samples[0].time, window.samples[last].time),
            gaps: last,
            first: window.samples[0].value,
            change,
        };
        change * sampled.factor(rate, window.end, windows.range)
    })
}

/// The properties of a window that determine its extrapolation.
pub(crate) struct Sampled {
    /// The times of the first and the last sample.
    pub(crate) times: (i64, i64),
    /// The number of samples, less one; at least 1.
    pub(crate) gaps: usize,
    /// The first value, or the first count of observations.
    pub(crate) first: f64,
    /// The change from the first to the last sample.
    pub(crate) change: f64,
}

impl Sampled {
    /// The factor that extrapolates the change between the first and the last sample to the whole window.
    #[inline]
    pub(crate) fn factor(&self, rate: Rate, end: i64, range: i64) -> f64 {
        let (first_time, last_time) = self.times;
        let start = end.saturating_sub(range);
        let mut to_start = first_time.saturating_sub(start) as f64 / 1000.0;
        let mut to_end = end.saturating_sub(last_time) as f64 / 1000.0;
        let sampled = last_time.saturating_sub(first_time) as f64 / 1000.0;
        let average = sampled / self.gaps as f64;
        // A gap of more than 1.1 times the average distance means that the series starts or ends here; it is then
        // extrapolated by half the average distance.
        let threshold = average * 1.1;
        if to_start >= threshold {
            to_start = average / 2.0;
        }
        if rate.counter && self.change > 0.0 && self.first >= 0.0 {
            let to_zero = sampled * (self.first / self.change);
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
