//! A stable sort that can be interrupted, which the standard one cannot.

use std::cmp::Ordering;

use super::{error::EvalError, meter::Meter};

/// The number of items sorted without an interruption check.
const RUN: usize = 256;

/// Sorts runs of items, then merges neighbouring runs until one is left.
pub(super) fn sorted<T>(
    items: Vec<T>,
    meter: &Meter<'_>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<Vec<T>, EvalError> {
    let mut runs = Vec::with_capacity(items.len() / RUN + 1);
    let mut items = items.into_iter();
    loop {
        meter.check()?;
        let mut run: Vec<T> = items.by_ref().take(RUN).collect();
        if run.is_empty() && !runs.is_empty() {
            break;
        }
        let is_last = run.len() < RUN;
        run.sort_by(&compare);
        runs.push(run);
        if is_last {
            break;
        }
    }
    while runs.len() > 1 {
        let mut merged_runs = Vec::with_capacity(runs.len() / 2 + 1);
        let mut pairs = runs.into_iter();
        while let Some(first) = pairs.next() {
            merged_runs.push(match pairs.next() {
                Some(second) => merged(first, second, meter, &compare)?,
                None => first,
            });
        }
        runs = merged_runs;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merged<T>(
    first: Vec<T>,
    second: Vec<T>,
    meter: &Meter<'_>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<Vec<T>, EvalError> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        meter.work(8)?;
        let next = match compare(a, b) {
            Ordering::Greater => second.next(),
            _ => first.next(),
        };
        out.extend(next);
    }
    out.extend(first);
    out.extend(second);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eval::Limits;

    #[test]
    fn an_interrupted_sort_stops() {
        let meter = Meter::new(Limits::default(), &|| true);
        let sorted = sorted(vec![2, 1], &meter, i32::cmp);
        assert!(matches!(sorted, Err(EvalError::Interrupted)));
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_standard_sort(keys in prop::collection::vec(0..50_u8, 0..2_000)) {
            let meter = Meter::new(Limits::default(), &|| false);
            let items: Vec<(u8, usize)> = keys.into_iter().enumerate().map(|(at, key)| (key, at)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let found = sorted(items, &meter, |a, b| a.0.cmp(&b.0)).expect("it is not interrupted");
            prop_assert_eq!(found, expected);
        }
    }
}
