//! What the functions compute, as plain functions of numbers and samples. How they are applied to series is in `eval`.

pub(crate) mod buckets;
pub(crate) mod date;
pub(crate) mod math;
pub(crate) mod over_time;
pub(crate) mod quantile;
pub(crate) mod rate;
pub(crate) mod sum;
pub(crate) mod trend;
