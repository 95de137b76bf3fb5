//! Resolution of `@`, `offset` and durations to times.

use super::{Evaluation, column::Steps, error::EvalError, window::References};
use crate::syntax::{AtTime, BinaryOp, Duration, DurationKind, Shift};

/// The longest duration: 2^63 - 1 nanoseconds, as in Go, so that sums of times cannot overflow.
const MAX_SECONDS: f64 = 9_223_372_036.0;

impl Evaluation<'_> {
    pub(super) fn references(&self, shift: &Shift, steps: Steps) -> Result<References, EvalError> {
        let at = shift.at.as_ref().map(|at| match at.time {
            AtTime::Millis(time) => time,
            AtTime::Start => self.times.start,
            AtTime::End => self.times.end,
        });
        let offset = shift.offset.as_ref();
        let offset = offset.map_or(Ok(0), |offset| self.millis(offset))?;
        Ok(References::new(steps, at, offset))
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
        Ok(match &duration.kind {
            DurationKind::Literal(seconds) => *seconds,
            DurationKind::Step if self.instant => 0.0,
            DurationKind::Step => self.times.step as f64 / 1000.0,
            DurationKind::Range => self.times.end.saturating_sub(self.times.start) as f64 / 1000.0,
            DurationKind::Negative(inner) => -self.seconds(inner)?,
            DurationKind::Paren(inner) => self.seconds(inner)?,
            DurationKind::MinOf(left, right) => self.seconds(left)?.min(self.seconds(right)?),
            DurationKind::MaxOf(left, right) => self.seconds(left)?.max(self.seconds(right)?),
            DurationKind::Binary(op, left, right) => {
                let (left, right) = (self.seconds(left)?, self.seconds(right)?);
                if matches!(op, BinaryOp::Div | BinaryOp::Mod) && right == 0.0 {
                    return Err(EvalError::duration(duration.span, "division by zero"));
                }
                crate::functions::math::operate(*op, left, right)
            }
        })
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
