//! The value axis, with round numbers at its ticks.

/// The approximate number of lines between two ticks.
const LINES_APART: usize = 3;

/// The largest and smallest magnitudes drawn. Larger values are skipped and smaller ones drawn as 0, to avoid overflow.
const LARGEST: f64 = 1e300;
const SMALLEST: f64 = 1e-290;

/// The range of the axis, from a round number to a round number.
#[derive(Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// The axis that covers all of `values`, or `None` if there are no values.
    pub(super) fn over(values: impl Iterator<Item = f64>, height: usize) -> Option<Self> {
        let values = values.filter(|value| value.abs() <= LARGEST);
        let range = values.fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        let (mut low, mut high) = range?;
        // A scale that begins at 0 shows how much it is; one that does not, how it changes.
        if low > 0.0 && low < high * 0.6 {
            low = 0.0;
        }
        if high < 0.0 && high > low * 0.6 {
            high = 0.0;
        }
        let size = low.abs().max(high.abs());
        if high - low <= size * 1e-9 || size < SMALLEST {
            (low, high) = match low {
                _ if size < SMALLEST => (0.0, 1.0),
                value if value > 0.0 => (0.0, value),
                value => (value, 0.0),
            };
        }
        let step = round_step((high - low) / (height / LINES_APART) as f64);
        Some(Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
        })
    }

    /// The position of a value on the axis, from 0 (bottom) to 1 (top).
    pub(super) fn height_of(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The labels of the lines from top to bottom, empty between ticks.
    pub(super) fn labels(&self, height: usize) -> Vec<String> {
        let mut labels = vec![String::new(); height];
        let (divisor, unit) = unit(self.low.abs().max(self.high.abs()));
        let decimals = decimals(self.step / divisor);
        let count = ((self.high - self.low) / self.step).round() as usize;
        for tick in 0..=count.min(height) {
            let value = self.low + self.step * tick as f64;
            let up = self.height_of(value) * (height - 1) as f64;
            let line = height - 1 - (up.round() as usize).min(height - 1);
            // What is left of the steps at 0.
            let zero = value.abs() < self.step / 2.0;
            let value = value / divisor;
            labels[line] = match decimals {
                _ if zero => "0".to_owned(),
                Some(decimals) => format!("{value:.decimals$}{unit}"),
                None => format!("{value:.1e}"),
            };
        }
        labels
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= least * (1.0 - 1e-9));
    let step = step.unwrap_or(least);
    if step.is_normal() {
        step
    } else {
        least.max(f64::MIN_POSITIVE)
    }
}

fn unit(largest: f64) -> (f64, &'static str) {
    [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")]
        .into_iter()
        .find(|(from, _)| largest >= *from && largest < 1e15)
        .map_or((1.0, ""), |(from, unit)| {
            (if from == 1e4 { 1e3 } else { from }, unit)
        })
}

/// The number of decimals that distinguishes ticks `step` apart, or `None` if there would be too many.
fn decimals(step: f64) -> Option<usize> {
    let digits = -step.log10().floor();
    (-15.0..=6.0)
        .contains(&digits)
        .then(|| digits.max(0.0) as usize)
}
