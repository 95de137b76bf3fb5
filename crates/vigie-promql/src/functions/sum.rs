//! Compensated sums and means.

/// A running sum with its compensation: Kahan's summation with Neumaier's improvement.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) total: f64,
    pub(crate) lost: f64,
}

impl Sum {
    pub(crate) fn of(first: f64) -> Self {
        Self {
            total: first,
            lost: 0.0,
        }
    }

    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        let total = self.total + term;
        if total.is_infinite() {
            self.lost = 0.0;
        } else if self.total.abs() >= term.abs() {
            self.lost += (self.total - total) + term;
        } else {
            self.lost += (term - total) + self.total;
        }
        self.total = total;
    }

    /// The sum of the terms of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.add(other.total);
        if !self.total.is_infinite() {
            self.lost += other.lost;
        }
        self
    }

    pub(crate) fn value(self) -> f64 {
        self.total + self.lost
    }
}

/// A running mean: a compensated sum while it does not overflow, then an incremental mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mean {
    sum: Sum,
    count: f64,
    overflown: bool,
}

impl Mean {
    pub(crate) fn of(first: f64) -> Self {
        Self {
            sum: Sum::of(first),
            count: 1.0,
            overflown: false,
        }
    }

    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        self.count += 1.0;
        if !self.overflown {
            let mut sum = self.sum;
            sum.add(term);
            if !sum.total.is_infinite() {
                self.sum = sum;
                return;
            }
            self.overflown = true;
            self.sum.total /= self.count - 1.0;
            self.sum.lost /= self.count - 1.0;
        }
        let weight = (self.count - 1.0) / self.count;
        self.sum.total *= weight;
        self.sum.lost *= weight;
        self.sum.add(term / self.count);
    }

    /// The mean of the terms of both.
    pub(crate) fn and(self, other: Self) -> Self {
        let count = self.count + other.count;
        if !self.overflown && !other.overflown {
            let sum = self.sum.and(other.sum);
            if !sum.total.is_infinite() {
                return Self {
                    sum,
                    count,
                    overflown: false,
                };
            }
        }
        let weighted = |mean: Self| mean.value() * (mean.count / count);
        let mut sum = Sum::of(weighted(self));
        sum.add(weighted(other));
        Self {
            sum,
            count,
            overflown: true,
        }
    }

    pub(crate) fn value(self) -> f64 {
        if self.overflown {
            return self.sum.value();
        }
        self.sum.total / self.count + self.sum.lost / self.count
    }
}
