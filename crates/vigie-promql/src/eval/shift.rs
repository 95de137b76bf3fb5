//! Resolution of `@`, `offset` and durations to times.

use super::{Evaluation, column::Steps, error::EvalError, window::References};
use crate::syntax::{AtTime, Duration, Shift};

/// The longest duration: 2^63 - 1 nanoseconds, as in Go, so that sums of times cannot overflow.
const MAX_SECONDS: f64 = 9_223_372_036.0;

impl Evaluation<'_> {
    pub(super) fn references(&self, shift: &Shift, steps: Steps) -> Result<References, EvalError> {
        let (at, offset) = self.shifted(shift)?;
        Ok(References::new(steps, at, offset))
    }

    /// The time that `@` fixes, and the offset.
    pub(super) fn shifted(&self, shift: &Shift) -> Result<(Option<i64>, i64), EvalError> {
        let at = shift.at.as_ref().map(|at| match at.time {
            AtTime::Millis(time) => time,
            AtTime::Start => self.times.start,
            AtTime::End => self.times.end,
        });
        let offset = shift.offset.as_ref();
        let offset = offset.map_or(Ok(0), |offset| self.millis(offset))?;
        Ok((at, offset))
    }

    /// The value of a range or step, which must be greater than 0. The parser has checked only literals.
    pub(super) fn positive_millis(&self, duration: &Duration) -> Result<i64, EvalError> {
        let seconds = self.seconds(duration)?;
        if seconds <= 0.0 {
            let message = "this duration must be greater than 0";
            return Err(EvalError::duration(duration.span, message));
        }
        to_millis(seconds, duration)
    }

    fn millis(&self, duration: &Duration) -> Result<i64, EvalError> {
        to_millis(self.seconds(duration)?, duration)
    }

    fn seconds(&self, duration: &Duration) -> Result<f64, EvalError> {
        let step = match self.instant {
            true => 0.0,
            false => self.times.step as f64 / 1000.0,
        };
        let range = self.times.end.saturating_sub(self.times.start) as f64 / 1000.0;
        let seconds = duration.seconds(step, range);
        seconds.map_err(|span| EvalError::duration(span, "division by zero"))
    }
}

fn to_millis(seconds: f64, duration: &Duration) -> Result<i64, EvalError> {
    if seconds.is_nan() || seconds.abs() > MAX_SECONDS {
        let message = "this duration is out of range";
        return Err(EvalError::duration(duration.span, message));
    }
    // Prometheus rounds to nanoseconds, and truncates to milliseconds where it compares times.
    let nanos = (seconds * 1e9).round() as i64;
    Ok(nanos / 1_000_000)
}
