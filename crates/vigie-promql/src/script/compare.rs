//! Comparison of a result with the one a script expects.

use super::{
    notation::{Point, Written},
    parse::{Eval, Expected, When},
};
use crate::{
    Labels,
    histogram::{Buckets, Histogram},
    value::{MatrixSeries, Sample, Value, VectorSample, is_stale},
};

/// The tolerated difference of two values, relative to their sum.
const TOLERANCE: f64 = 1e-6;

pub(super) fn nearly_equal(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// Returns the reason if a result is not the expected one.
pub(super) fn compare(eval: &Eval, value: &Value) -> Result<(), String> {
    match (&eval.expected, value) {
        (Expected::Scalar(expected), Value::Scalar(found)) => {
            equal(*expected, *found, || "scalar".to_owned())
        }
        (Expected::Text(expected), Value::Text(found)) if expected == found => Ok(()),
        (Expected::Series(expected), Value::Vector(found)) => vector(expected, found, eval.ordered),
        (Expected::Series(expected), Value::Matrix(found)) => match eval.when {
            When::Range { start, end, step } => matrix(expected, found, (start, end, step)),
            When::Instant(time) => matrix(expected, found, (time, time, 1)),
        },
        (
            Expected::RangeVector {
                start,
                step,
                series,
            },
            Value::Matrix(found),
        ) => matrix(series, found, (*start, i64::MAX, *step)),
        (Expected::Text(expected), found) => Err(format!("expected {expected:?}, found {found:?}")),
        (Expected::Scalar(expected), found) => Err(format!("expected {expected}, found {found:?}")),
        (_, found) => Err(format!("expected series, found {found:?}")),
    }
}

fn equal(expected: f64, found: f64, of: impl FnOnce() -> String) -> Result<(), String> {
    match nearly_equal(expected, found) {
        true => Ok(()),
        false => Err(format!("{}: expected {expected}, found {found}", of())),
    }
}

fn vector(
    expected: &[(Labels, Vec<Point>)],
    found: &[VectorSample],
    ordered: bool,
) -> Result<(), String> {
    for (at, sample) in found.iter().enumerate() {
        let position = expected
            .iter()
            .position(|(labels, _)| *labels == sample.labels);
        let Some(position) = position else {
            return Err(format!(
                "unexpected {} with {} {:?}",
                sample.labels, sample.value, sample.histogram
            ));
        };
        if ordered && position != at {
            return Err(format!(
                "{} is at position {at}, expected {position}",
                sample.labels
            ));
        }
        match expected[position].1.first() {
            Some(Point::Value(value)) if sample.histogram.is_none() => {
                equal(*value, sample.value, || sample.labels.to_string())?;
            }
            Some(Point::Histogram(written)) => {
                same_histogram(written, sample.histogram.as_deref(), &sample.labels)?;
            }
            other => {
                return Err(format!(
                    "{}: expected {other:?}, found {} {:?}",
                    sample.labels, sample.value, sample.histogram
                ));
            }
        }
    }
    all_found(expected, found.iter().map(|sample| &sample.labels))
}

fn matrix(
    expected: &[(Labels, Vec<Point>)],
    found: &[MatrixSeries],
    (start, end, step): (i64, i64, i64),
) -> Result<(), String> {
    if !found.is_sorted_by(|a, b| a.labels < b.labels) {
        return Err("the series are not sorted by labels".to_owned());
    }
    for series in found {
        let known = expected.iter().find(|(labels, _)| *labels == series.labels);
        let Some((labels, points)) = known else {
            return Err(format!(
                "unexpected {} with {:?} {:?}",
                series.labels, series.samples, series.histograms
            ));
        };
        let (mut wanted, mut native) = (Vec::new(), Vec::new());
        for (at, point) in points.iter().enumerate() {
            let time = start + step * at as i64;
            if time > end {
                return Err(format!(
                    "{labels}: expected more points than there are steps"
                ));
            }
            match point {
                Point::Omitted => {}
                Point::Value(value) => wanted.push(Sample {
                    time,
                    value: *value,
                }),
                Point::Histogram(written) => native.push((time, written)),
            }
        }
        let same = |(a, b): (&Sample, &Sample)| a.time == b.time && nearly_equal(a.value, b.value);
        let pairs = wanted.iter().zip(&series.samples);
        if wanted.len() != series.samples.len() || !pairs.clone().all(same) {
            let differ = pairs.clone().find(|pair| !same(*pair));
            return Err(format!(
                "{labels}: expected {} points, found {}; first difference: {differ:?}",
                wanted.len(),
                series.samples.len()
            ));
        }
        if native.len() != series.histograms.len() {
            return Err(format!(
                "{labels}: expected {} histograms, found {}",
                native.len(),
                series.histograms.len()
            ));
        }
        for ((time, written), found) in native.into_iter().zip(&series.histograms) {
            if time != found.time {
                return Err(format!("{labels}: expected a histogram at {time} ms"));
            }
            same_histogram(written, Some(&found.histogram), labels)?;
        }
    }
    all_found(expected, found.iter().map(|series| &series.labels))
}

fn same_histogram(
    expected: &Written,
    found: Option<&Histogram>,
    labels: &Labels,
) -> Result<(), String> {
    let wanted = (*expected.histogram).clone().compacted();
    let same_counts = |a: &Buckets, b: &Buckets| {
        let pairs = a.iter().zip(b.iter());
        let mut pairs = pairs.map(|((i, a), (j, b))| i == j && nearly_equal(a, b));
        a.iter().count() == b.iter().count() && pairs.all(|same| same)
    };
    let found = found.map(|found| found.clone().compacted());
    let same = found.as_ref().is_some_and(|found| {
        wanted.layout == found.layout
            && nearly_equal(wanted.count, found.count)
            && nearly_equal(wanted.sum, found.sum)
            && nearly_equal(wanted.zero, found.zero)
            && same_counts(&wanted.positive, &found.positive)
            && same_counts(&wanted.negative, &found.negative)
            && (!expected.has_hint || wanted.hint == found.hint)
    });
    match same {
        true => Ok(()),
        false => Err(format!("{labels}: expected {wanted:?}, found {found:?}")),
    }
}

fn all_found<'a>(
    expected: &[(Labels, Vec<Point>)],
    found: impl Iterator<Item = &'a Labels> + Clone,
) -> Result<(), String> {
    let mut expected = expected.iter();
    let missing = expected.find(|(labels, _)| !found.clone().any(|found| found == labels));
    match missing {
        Some((labels, points)) => Err(format!("{labels} with {points:?} was not found")),
        None => Ok(()),
    }
}
