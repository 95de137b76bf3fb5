//! Interleaved rounds and their medians.

/// Runs the parties in turn, round by round, and returns the median of what each measured.
pub(crate) fn interleaved<const N: usize>(
    rounds: u32,
    mut parties: [&mut dyn FnMut() -> f64; N],
) -> [f64; N] {
    let mut measured = [const { Vec::new() }; N];
    for round in 0..=rounds {
        for (party, measured) in parties.iter_mut().zip(&mut measured) {
            let value = party();
            // The first round warms up.
            if round > 0 {
                measured.push(value);
            }
        }
    }
    measured.map(|values| median(&values))
}

/// The middle value; 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => 0.0,
    }
}

/// The median, and the least and the greatest of several values.
pub(crate) fn spread(values: &[f64], write: impl Fn(f64) -> String) -> String {
    if values.len() < 2 {
        return write(median(values));
    }
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{} ({}–{})",
        write(median(values)),
        write(least),
        write(most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_only_warms_up() {
        let mut calls = 0.0;
        let mut party = || {
            calls += 1.0;
            calls
        };
        assert_eq!(interleaved(3, [&mut party]), [3.0]);
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn one_value_has_no_spread() {
        let write = |value| format!("{value:.0}");
        assert_eq!(spread(&[3.0, 1.0, 2.0], write), "2 (1–3)");
        assert_eq!(spread(&[2.0, 2.0], write), "2 (2–2)");
        assert_eq!(spread(&[3.0], write), "3");
        assert_eq!(spread(&[], write), "0");
    }
}
