//! Samples kept for a day.

mod chunk;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub time: i64,
    pub value: f64,
}
