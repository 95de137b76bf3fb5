//! Linear regression over the samples of a window: `deriv` and `predict_linear`.

use super::sum::Sum;
use crate::value::Sample;

/// A least-squares line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    /// Per second.
    pub(crate) slope: f64,
    /// The value at the requested time.
    pub(crate) intercept: f64,
}

/// The line through at least two samples, with its intercept at `time`.
pub(crate) fn line(samples: &[Sample], time: i64) -> Option<Line> {
    let first = samples.first().filter(|_| samples.len() > 1)?.value;
    if samples.iter().all(|sample| sample.value == first) {
        return Some(if first.is_infinite() {
            Line {
                slope: f64::NAN,
                intercept: f64::NAN,
            }
        } else {
            Line {
                slope: 0.0,
                intercept: first,
            }
        });
    }
    let count = samples.len() as f64;
    let (mut x_sum, mut y_sum) = (Sum::default(), Sum::default());
    let (mut xy_sum, mut xx_sum) = (Sum::default(), Sum::default());
    for sample in samples {
        let x = sample.time.saturating_sub(time) as f64 / 1000.0;
        x_sum.add(x);
        y_sum.add(sample.value);
        xy_sum.add(x * sample.value);
        xx_sum.add(x * x);
    }
    let (x_sum, y_sum) = (x_sum.value(), y_sum.value());
    let covariance = xy_sum.value() - x_sum * y_sum / count;
    let variance = xx_sum.value() - x_sum * x_sum / count;
    let slope = covariance / variance;
    Some(Line {
        slope,
        intercept: y_sum / count - slope * x_sum / count,
    })
}
