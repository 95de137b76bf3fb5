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

/// The windows of one sequence of times, and their extrapolation. The series of a target have the same times, so most
/// series use the plan of the one before.
#[derive(Default)]
pub(crate) struct Plan {
    times: Vec<i64>,
    windows: Vec<Planned>,
    /// The number of samples in all windows.
    queried: u64,
}

/// A window with at least two samples, or none.
#[derive(Clone, Copy, Default)]
struct Planned {
    /// The index of the first sample.
    first: usize,
    /// The index of the last sample; that of the first one if there are fewer than two.
    last: usize,
    extrapolation: Extrapolation,
}

impl Plan {
    /// Bytes for each step.
    pub(crate) const STEP: usize = size_of::<Planned>();
    /// Bytes for each sample of the longest series, in a list that doubles as it grows.
    pub(crate) const SAMPLE: usize = 2 * size_of::<i64>();

    /// The greatest number of samples so far.
    pub(crate) fn longest(&self) -> usize {
        self.times.capacity()
    }

    fn fit(&mut self, rate: Rate, samples: &[Sample], windows: Windows<'_>) {
        let times = samples.iter().map(|sample| sample.time);
        if !self.windows.is_empty() && self.times.iter().copied().eq(times.clone()) {
            windows.add_queried(self.queried);
            return;
        }
        self.times.clear();
        self.times.extend(times);
        let before = windows.queried.get();
        self.windows = windows.map_or(samples, Planned::default(), |window| {
            let gaps = window.samples.len() - 1;
            if gaps == 0 {
                return Planned::default();
            }
            let ends = (window.samples[0].time, window.samples[gaps].time);
            let span = (window.end, windows.range);
            Planned {
                first: window.from,
                last: window.from + gaps,
                extrapolation: Extrapolation::new(rate, ends, gaps, span),
            }
        });
        self.queried = windows.queried.get() - before;
    }
}

/// Evaluates one series. Resets are found once for all windows. An interrupted pass leaves windows out, for which the
/// caller must check.
pub(crate) fn extrapolated(
    rate: Rate,
    samples: &[Sample],
    windows: Windows<'_>,
    plan: &mut Plan,
    resets: &mut Vec<usize>,
) -> Column {
    plan.fit(rate, samples, windows);
    resets.clear();
    if rate.counter {
        let pairs = samples.windows(2).enumerate();
        let falls = pairs.filter(|(_, pair)| pair[1].value < pair[0].value);
        resets.extend(falls.map(|(at, _)| at));
    }
    let mut next = 0;
    let values = plan.windows.iter().map(|window| {
        let Planned { first, last, .. } = *window;
        if first == last {
            return ABSENT;
        }
        let start = samples[first].value;
        let mut change = samples[last].value - start;
        while resets.get(next).is_some_and(|&at| at < first) {
            next += 1;
        }
        for &at in &resets[next..] {
            if at >= last {
                break;
            }
            change += samples[at].value;
        }
        change * window.extrapolation.factor(rate, start, change)
    });
    values.collect()
}

/// The extrapolation of a window as far as the times of its samples determine it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extrapolation {
    /// Seconds between the first and the last sample.
    sampled: f64,
    /// Seconds by which the start is extrapolated.
    to_start: f64,
    /// Seconds by which the end is extrapolated.
    to_end: f64,
    /// The seconds of the window for a rate, otherwise 1.
    divisor: f64,
    /// The factor, unless the start is extrapolated only until a counter would have been 0.
    factor: f64,
}

impl Extrapolation {
    /// `ends` are the times of the first and the last sample, between which there are `gaps`, at least 1; the window ends
    /// at `end`.
    pub(crate) fn new(
        rate: Rate,
        (first_time, last_time): (i64, i64),
        gaps: usize,
        (end, range): (i64, i64),
    ) -> Self {
        let start = end.saturating_sub(range);
        let mut to_start = first_time.saturating_sub(start) as f64 / 1000.0;
        let mut to_end = end.saturating_sub(last_time) as f64 / 1000.0;
        let sampled = last_time.saturating_sub(first_time) as f64 / 1000.0;
        let average = sampled / gaps as f64;
        // A gap of more than 1.1 times the average distance means that the series starts or ends here; it is then
        // extrapolated by half the average distance.
        let threshold = average * 1.1;
        if to_start >= threshold {
            to_start = average / 2.0;
        }
        if to_end >= threshold {
            to_end = average / 2.0;
        }
        let mut extrapolation = Self {
            sampled,
            to_start,
            to_end,
            divisor: match rate.per_second {
                true => range as f64 / 1000.0,
                false => 1.0,
            },
            factor: 0.0,
        };
        extrapolation.factor = extrapolation.from(to_start);
        extrapolation
    }

    /// The factor that extrapolates the change between the first and the last sample to the whole window. `first` is the
    /// first value, or the first count of observations.
    #[inline]
    pub(crate) fn factor(&self, rate: Rate, first: f64, change: f64) -> f64 {
        if !(rate.counter && change > 0.0 && first >= 0.0) {
            return self.factor;
        }
        // Most counters are far from 0, which a product tells without a division. It is trusted where neither side
        // overflows or loses bits, with a margin for their rounding.
        let bound = self.to_start * change * (1.0 + 1e-9);
        if first * self.sampled >= bound && (1e-290..1e300).contains(&bound) {
            return self.factor;
        }
        let to_zero = self.sampled * (first / change);
        match to_zero < self.to_start {
            true => self.from(to_zero),
            false => self.factor,
        }
    }

    fn from(&self, to_start: f64) -> f64 {
        let mut factor = 1.0;
        if self.sampled != 0.0 {
            factor = (self.sampled + to_start + self.to_end) / self.sampled;
        }
        factor / self.divisor
    }
}

/// The rate or difference of the last two samples of a window.
pub(crate) fn instant(rate: Rate, samples: &[Sample], windows: Windows<'_>) -> Column {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eval::window::References;

    /// The factor by the rules of Prometheus alone.
    fn expected(rate: Rate, one: &Extrapolation, first: f64, change: f64) -> f64 {
        let to_zero = one.sampled * (first / change);
        match rate.counter && change > 0.0 && first >= 0.0 && to_zero < one.to_start {
            true => one.from(to_zero),
            false => one.factor,
        }
    }

    proptest! {
        #[test]
        fn the_product_decides_as_the_quotient_does(
            sampled in 1..10_000_i64,
            before in 0..1_000_i64,
            after in 0..1_000_i64,
            gaps in 1..20_usize,
            first in prop_oneof![0.0..10.0_f64, any::<f64>(), Just(0.0), Just(5e-324)],
            change in prop_oneof![0.0..10.0_f64, any::<f64>(), Just(5e-324)],
            // Near the limit: the counter would have been 0 just when the window starts.
            near in prop::option::of(-3..4_i64),
        ) {
            let rate = Rate { counter: true, per_second: true };
            let range = before + sampled + after;
            let one = Extrapolation::new(rate, (before, before + sampled), gaps, (range, range));
            let first = match near {
                Some(steps) => {
                    let exact = one.to_start * change / one.sampled;
                    f64::from_bits(exact.to_bits().wrapping_add_signed(steps))
                }
                None => first,
            };
            let found = one.factor(rate, first, change);
            let expected = expected(rate, &one, first, change);
            prop_assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
        }

        /// A plan that was made for other times, or for the same ones, does not change the result.
        #[test]
        fn a_plan_is_used_only_for_its_times(
            values in prop::collection::vec((1..40_i64, 0..100_i32), 1..60),
            other in prop::collection::vec((1..40_i64, 0..100_i32), 1..60),
            first in 0..100_i64,
            step in 0..60_i64,
            range in 1..300_i64,
        ) {
            let queried = std::cell::Cell::new(0);
            let windows = Windows {
                references: References { first, step, count: 40 },
                range,
                margins: (0, 0),
                interrupted: &|| false,
                queried: &queried,
            };
            let [samples, others] = [values, other].map(|values| {
                let mut time = 0;
                let samples = values.into_iter().map(|(passed, value)| {
                    time += passed;
                    Sample { time, value: value.into() }
                });
                samples.collect::<Vec<Sample>>()
            });
            let rate = Rate { counter: true, per_second: true };
            let evaluate = |samples: &[Sample], plan: &mut Plan| {
                let before = queried.get();
                let column = extrapolated(rate, samples, windows, plan, &mut Vec::new());
                let bits: Vec<u64> = column.into_iter().map(f64::to_bits).collect();
                (bits, queried.get() - before)
            };
            let expected = evaluate(&samples, &mut Plan::default());
            let mut plan = Plan::default();
            for _ in 0..2 {
                prop_assert_eq!(&evaluate(&samples, &mut plan), &expected);
                prop_assert_eq!(&evaluate(&samples, &mut plan), &expected);
                evaluate(&others, &mut plan);
            }
        }
    }
}
