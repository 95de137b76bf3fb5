//! Addition and subtraction.

use super::{Buckets, Count, Histogram, Layout, ResetHint, bounds};

/// One histogram has exponential bounds and the other custom ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incompatible;

/// The differences that an addition reconciled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// One histogram follows a counter reset and the other does not.
    pub(crate) collision: bool,
    /// The custom bounds differed; the result has those in common.
    pub(crate) reconciled: bool,
}

impl<N: Count> Histogram<N> {
    /// Adds `sign` times another histogram. The result has the lower resolution and the wider zero bucket of both.
    pub(crate) fn add(&mut self, other: &Histogram, sign: f64) -> Result<Added, Incompatible> {
        if self.has_custom_bounds() != other.has_custom_bounds() {
            return Err(Incompatible);
        }
        let mut added = Added {
            collision: self.adjust_hint(other.hint),
            reconciled: false,
        };
        let exponential = !self.has_custom_bounds();
        let zero = match exponential {
            true => self.reconcile_zero(other),
            false => 0.0,
        };
        self.zero.add(sign * zero);
        self.count.add(sign * other.count);
        self.sum.add(sign * other.sum);
        match (self.layout.clone(), &other.layout) {
            (Layout::Custom(own), Layout::Custom(others)) if own != *others => {
                let common = bounds::common(&own, others);
                let place = |index| bounds::containing(index, &own, &common);
                let mut positive = self.positive.moved(place);
                let place = |index| bounds::containing(index, others, &common);
                positive.add(other.positive.moved(place).iter(), sign);
                positive.compact();
                self.positive = positive;
                self.layout = Layout::Custom(common);
                added.reconciled = true;
            }
            (Layout::Custom(_), _) => self.positive.add(other.positive.iter(), sign),
            _ => self.add_exponential(other, sign),
        }
        Ok(added)
    }

    fn add_exponential(&mut self, other: &Histogram, sign: f64) {
        let schema = self.layout.schema().min(other.layout.schema()).unwrap_or(0);
        self.reduce(schema);
        let layout = &self.layout;
        for (own, others) in [
            (&mut self.positive, &other.positive),
            (&mut self.negative, &other.negative),
        ] {
            let others = at_schema(others, other.layout.schema().unwrap_or(schema), schema);
            let outside = others.iter();
            let inside = |&(index, _): &(i32, f64)| layout.upper(index) <= layout.zero_threshold();
            own.add(outside.skip_while(inside), sign);
        }
    }

    /// Lowers the resolution of exponential bounds.
    pub(crate) fn reduce(&mut self, schema: i32) {
        let Some(own) = self.layout.schema().filter(|&own| own > schema) else {
            return;
        };
        self.positive = at_schema(&self.positive, own, schema);
        self.negative = at_schema(&self.negative, own, schema);
        self.layout = self.layout.with_schema(schema);
    }

    /// Returns whether the hints contradict each other.
    fn adjust_hint(&mut self, other: ResetHint) -> bool {
        use ResetHint::{Gauge, Unknown};
        let own = self.hint;
        if own == other || own == Gauge || own == Unknown {
            return false;
        }
        self.hint = if other == Gauge { Gauge } else { Unknown };
        other != Gauge && other != Unknown
    }
}

pub(super) fn at_schema<N: Count>(buckets: &Buckets<N>, from: i32, to: i32) -> Buckets<N> {
    match from > to {
        true => buckets.moved(|index| bounds::coarser(index, from, to)),
        false => buckets.clone(),
    }
}
