//! The computations of the functions, on plain numbers and samples. `eval` applies them to series.

pub(crate) mod buckets;
pub(crate) mod date;
pub(crate) mod extended;
pub(crate) mod math;
pub(crate) mod native;
pub(crate) mod natural;
pub(crate) mod over_time;
pub(crate) mod quantile;
pub(crate) mod rate;
pub(crate) mod smoothing;
pub(crate) mod sum;
pub(crate) mod trend;
