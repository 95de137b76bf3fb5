use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::functions::sum::Sum;

fn exponential(schema: i32, positive: &[(i32, f64)]) -> Histogram {
    let layout = Layout::Exponential {
        schema,
        zero_threshold: 0.001,
    };
    let count = positive.iter().fold(0.0, |sum, (_, count)| sum + count);
    Histogram {
        count,
        sum: count,
        positive: Buckets::new(positive.iter().copied()),
        ..Histogram::empty(layout)
    }
}

fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
    let counts = (0..).zip(counts.iter().copied());
    Histogram {
        count: counts.clone().map(|(_, count)| count).sum(),
        positive: Buckets::new(counts),
        ..Histogram::empty(Layout::Custom(Arc::from(bounds)))
    }
}

#[test]
fn bounds_are_powers_of_two() {
    assert_eq!(bounds::exponential(3, 0), 8.0);
    assert_eq!(bounds::exponential(-2, 0), 0.25);
    assert_eq!(bounds::exponential(1, -2), 16.0);
    assert_eq!(bounds::exponential(1024, 0), f64::MAX);
    assert_eq!(bounds::exponential(256, 8), 2.0);
    assert!((bounds::exponential(1, 1) - std::f64::consts::SQRT_2).abs() < 1e-15);
    // (1, 2] is in (1, 4] and in (1, 16].
    assert_eq!(
        (bounds::coarser(1, 0, -1), bounds::coarser(1, 0, -2)),
        (1, 1)
    );
    assert_eq!(
        (bounds::coarser(0, 0, -1), bounds::coarser(3, 0, -1)),
        (0, 2)
    );
}

#[test]
fn a_sum_has_the_lower_resolution() {
    let mut sum = exponential(1, &[(1, 1.0), (2, 2.0), (3, 3.0)]);
    let added = sum.add(&exponential(0, &[(2, 5.0)]), 1.0);
    assert_eq!(added.unwrap(), Added::default());
    assert_eq!(sum.layout.schema(), Some(0));
    assert!(sum.positive.same(&Buckets::new([(1, 3.0), (2, 8.0)])));
    assert_eq!(sum.count, 11.0);
    assert!(sum.add(&custom(&[1.0], &[1.0, 1.0]), 1.0).is_err());
}

#[test]
fn differing_custom_bounds_are_reconciled() {
    let mut sum = custom(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
    let added = sum.add(&custom(&[2.0, 3.5], &[10.0, 20.0, 30.0]), -1.0);
    assert!(added.unwrap().reconciled);
    assert_eq!(sum.layout, Layout::Custom(Arc::from([2.0])));
    assert!(sum.positive.same(&Buckets::new([(0, -7.0), (1, -43.0)])));
}

#[test]
fn zero_buckets_are_widened_to_the_bounds_of_buckets() {
    let narrow = exponential(0, &[(-3, 1.0), (-1, 2.0), (2, 4.0)]);
    let mut wide = exponential(0, &[(2, 1.0)]);
    wide.layout = Layout::Exponential {
        schema: 0,
        zero_threshold: 0.3,
    };
    wide.zero = 5.0;
    wide.add(&narrow, 1.0).unwrap();
    // 0.3 divides (0.25, 0.5], which contains observations.
    assert_eq!(wide.layout.zero_threshold(), 0.5);
    assert_eq!(wide.zero, 8.0);
    assert!(wide.positive.same(&Buckets::new([(2, 5.0)])));
}

#[test]
fn resets_are_detected_by_bucket() {
    let before = exponential(1, &[(1, 1.0), (3, 1.0)]);
    let after = |positive: &[(i32, f64)]| exponential(1, positive).is_reset_after(&before);
    assert!(!after(&[(1, 1.0), (2, 7.0), (3, 1.0)]));
    assert!(after(&[(1, 0.0), (2, 7.0), (3, 1.0)]));
    assert!(after(&[(1, 9.0)]));
    assert!(exponential(2, &[(1, 9.0)]).is_reset_after(&before));
    let gauge = Histogram {
        hint: ResetHint::NotReset,
        ..exponential(0, &[])
    };
    assert!(!gauge.is_reset_after(&before));
    let before = custom(&[1.0, 2.0], &[1.0, 1.0, 1.0]);
    assert!(!custom(&[2.0], &[2.0, 1.0]).is_reset_after(&before));
    assert!(custom(&[2.0], &[1.0, 9.0]).is_reset_after(&before));
}

#[test]
fn the_text_is_that_of_prometheus() {
    let mut histogram = exponential(0, &[(1, 2.0), (2, 0.0), (3, 1.5)]);
    histogram.zero = 1.0;
    histogram.negative = Buckets::new([(0, 4.0)]);
    assert_eq!(
        histogram.to_string(),
        "{count:3.5, sum:3.5, [-1,-0.5):4, [-0.001,0.001]:1, (1,2]:2, (4,8]:1.5}"
    );
}

#[test]
fn a_compensated_sum_cancels() {
    let mut sum: Histogram<Sum> = exponential(0, &[(1, 1e100)]).map(Sum::of);
    for count in [1.0, -1e100] {
        sum.add(&exponential(0, &[(1, count)]), 1.0).unwrap();
    }
    assert!(sum.value().positive.same(&Buckets::new([(1, 1.0)])));
}

proptest! {
    #[test]
    fn subtraction_undoes_addition(
        a in prop::collection::btree_map(1..20_i32, 1..1_000_u32, 0..12),
        b in prop::collection::btree_map(1..20_i32, 1..1_000_u32, 0..12),
        schema in -2..4_i32,
    ) {
        let of = |counts: std::collections::BTreeMap<i32, u32>| -> Vec<(i32, f64)> {
            counts.into_iter().map(|(index, count)| (index, f64::from(count))).collect()
        };
        let (a, b) = (exponential(schema, &of(a)), exponential(schema, &of(b)));
        let mut sum = a.clone();
        sum.add(&b, 1.0).unwrap();
        prop_assert!(!sum.is_reset_after(&a) && !sum.is_reset_after(&b));
        sum.add(&b, -1.0).unwrap();
        prop_assert!(sum.compacted().same(&a.compacted()));
    }

    #[test]
    fn quantiles_and_fractions_are_inverse(
        counts in prop::collection::btree_map(-8..12_i32, 1..100_u32, 1..10),
        rank in 0.01..0.99_f64,
    ) {
        let counts: Vec<(i32, f64)> =
            counts.into_iter().map(|(index, count)| (index, f64::from(count))).collect();
        let histogram = exponential(1, &counts);
        let (value, _) = histogram.quantile(rank);
        let (fraction, _) = histogram.fraction(f64::NEG_INFINITY, value);
        prop_assert!((fraction - rank).abs() < 1e-9, "{} is not {}", fraction, rank);
    }
}
