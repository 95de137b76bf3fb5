//! The text form, as in Prometheus: `{count:3, sum:4, (1,2]:3}`.

use std::fmt::{self, Display, Formatter};

use super::Histogram;
use crate::format::{go_general, plain};

impl Display for Histogram {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (count, sum) = (go_general(self.count), go_general(self.sum));
        write!(f, "{{count:{count}, sum:{sum}")?;
        let negative = self.negative_buckets().rev();
        let zero = std::iter::once(self.zero_bucket());
        let buckets = negative.chain(zero).chain(self.positive_buckets());
        for bucket in buckets.filter(|bucket| bucket.count != 0.0) {
            let open = if bucket.lower_inclusive { '[' } else { '(' };
            let close = if bucket.upper_inclusive { ']' } else { ')' };
            let (lower, upper) = (go_general(bucket.lower), go_general(bucket.upper));
            let count = plain(bucket.count);
            write!(f, ", {open}{lower},{upper}{close}:{count}")?;
        }
        f.write_str("}")
    }
}
