//! Detection of counter resets.

use super::{Buckets, Histogram, Layout, ResetHint, add::at_schema, bounds};

impl Histogram {
    /// Whether a counter was reset between `before` and this histogram.
    pub(crate) fn is_reset_after(&self, before: &Self) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < before.count {
            return true;
        }
        let (schema, known) = match (&self.layout, &before.layout) {
            (Layout::Custom(own), Layout::Custom(known)) => {
                let common = bounds::common(own, known);
                let moved = |buckets: &Buckets, from: &[f64]| {
                    buckets.moved(|index| bounds::containing(index, from, &common))
                };
                let own = moved(&self.positive, own);
                return has_fallen(&own, moved(&before.positive, known).iter());
            }
            (Layout::Exponential { schema, .. }, Layout::Exponential { schema: known, .. }) => {
                (*schema, *known)
            }
            _ => return true,
        };
        let threshold = self.layout.zero_threshold();
        if schema > known || threshold < before.layout.zero_threshold() {
            return true;
        }
        let (zero, wider) = before.wider_zero(threshold);
        if wider != threshold || self.zero < zero {
            return true;
        }
        let sides = [
            (&self.positive, &before.positive),
            (&self.negative, &before.negative),
        ];
        sides.into_iter().any(|(own, before)| {
            let before = at_schema(before, known, schema);
            let inside = |&(index, _): &(i32, f64)| self.layout.upper(index) <= threshold;
            has_fallen(own, before.iter().skip_while(inside))
        })
    }
}

/// Whether a bucket has fewer observations than before.
fn has_fallen(now: &Buckets, before: impl Iterator<Item = (i32, f64)>) -> bool {
    let mut now = now.iter().peekable();
    before.into_iter().any(|(index, count)| {
        while now.next_if(|(known, _)| *known < index).is_some() {}
        match now.next_if(|(known, _)| *known == index) {
            Some((_, now)) => now < count,
            None => count != 0.0,
        }
    })
}
