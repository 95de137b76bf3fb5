//! The notation of native histograms: `{{schema:1 count:22 sum:3 buckets:[5 10 7]}}`.

use std::sync::Arc;

use super::notation::number;
use crate::histogram::{Buckets, Histogram, Layout, ResetHint};

/// The schema of custom bounds.
const CUSTOM: i32 = -53;

/// A native histogram as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The histogram.
    pub histogram: Arc<Histogram>,
    /// Whether its hint about a counter reset is written, so that a result must have the same one.
    pub has_hint: bool,
}

/// Parses the description of a histogram, without its braces.
pub(super) fn histogram(text: &str) -> Result<Written, String> {
    let mut schema = 0;
    let mut threshold = 0.0;
    let mut bounds = Vec::new();
    let mut sides = [(0, Vec::new()), (0, Vec::new())];
    let mut has_hint = false;
    let mut histogram = Histogram::empty(Layout::Custom(Arc::from([])));
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (item, after) = item(rest)?;
        rest = after;
        let (key, value) = item
            .split_once(':')
            .ok_or_else(|| format!("{item:?} in {{{{{text}}}}} has no value"))?;
        match key {
            "schema" => schema = integer(value)?,
            "count" => histogram.count = number(value)?,
            "sum" => histogram.sum = number(value)?,
            "z_bucket" => histogram.zero = number(value)?,
            "z_bucket_w" => threshold = number(value)?,
            "custom_values" => bounds = numbers(value)?,
            "buckets" => sides[0].1 = numbers(value)?,
            "offset" => sides[0].0 = integer(value)?,
            "n_buckets" => sides[1].1 = numbers(value)?,
            "n_offset" => sides[1].0 = integer(value)?,
            "counter_reset_hint" => {
                has_hint = true;
                histogram.hint = hint(value)?;
            }
            _ => return Err(format!("{key:?} is not a part of a histogram")),
        }
    }
    histogram.layout = match schema {
        CUSTOM => Layout::Custom(bounds.into()),
        -4..=8 if !threshold.is_nan() => Layout::Exponential {
            schema,
            zero_threshold: threshold,
        },
        _ => return Err(format!("schema {schema} does not exist")),
    };
    let [positive, negative] = sides.map(|(offset, counts)| Buckets::new((offset..).zip(counts)));
    histogram.positive = positive;
    histogram.negative = negative;
    Ok(Written {
        histogram: Arc::new(histogram),
        has_hint,
    })
}

/// Splits off the first item; blanks inside of brackets do not end it.
fn item(text: &str) -> Result<(&str, &str), String> {
    let open = text.find('[').unwrap_or(text.len());
    let blank = text.find([' ', '\t']).unwrap_or(text.len());
    let end = match open < blank {
        true => {
            text.find(']')
                .ok_or_else(|| format!("a [ in {text:?} is not closed"))?
                + 1
        }
        false => blank,
    };
    Ok((&text[..end], text[end..].trim_start()))
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let inside = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let inside = inside.ok_or_else(|| format!("{text:?} is not a list in brackets"))?;
    inside.split_whitespace().map(number).collect()
}

fn integer(text: &str) -> Result<i32, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not an integer"))
}

fn hint(text: &str) -> Result<ResetHint, String> {
    Ok(match text {
        "unknown" => ResetHint::Unknown,
        "reset" => ResetHint::Reset,
        "not_reset" => ResetHint::NotReset,
        "gauge" => ResetHint::Gauge,
        _ => return Err(format!("{text:?} is not a hint about counter resets")),
    })
}

/// The histogram and those that follow if each is the one before plus (or minus) `step`.
pub(super) fn sequence(
    first: Written,
    step: &Written,
    sign: f64,
    times: usize,
) -> Result<Vec<Written>, String> {
    let mut all = vec![Written {
        has_hint: step.has_hint,
        ..first
    }];
    for at in 0..times {
        let mut next = (*all[at].histogram).clone();
        next.add(&step.histogram, sign)
            .map_err(|_| "exponential and custom bounds cannot be added".to_owned())?;
        all.push(Written {
            histogram: Arc::new(next),
            has_hint: step.has_hint,
        });
    }
    Ok(all)
}
