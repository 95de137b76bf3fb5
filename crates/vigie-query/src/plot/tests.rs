#![allow(clippy::unwrap_used)]

use super::*;
use crate::answer::Point;

fn series(labels: &[(&str, &str)], values: impl Iterator<Item = (i64, f64)>) -> Series {
    let point = |(time, value): (i64, f64)| Point {
        time: time as f64,
        value,
        text: value.to_string(),
    };
    Series {
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        points: values.map(point).collect(),
    }
}

fn drawing(series: &[Series], width: usize, colour: bool) -> String {
    let range = Range {
        start: Timestamp::from_second(1_700_000_000).unwrap(),
        end: Timestamp::from_second(1_700_003_600).unwrap(),
        step: SignedDuration::from_secs(60),
    };
    let terminal = Terminal {
        width,
        colour,
        zone: TimeZone::UTC,
    };
    plot("rate(x[5m])\n  by  (job)", series, &range, &terminal)
}

fn every_minute() -> impl Iterator<Item = i64> {
    (0..=60).map(|minute| 1_700_000_000 + minute * 60)
}

#[test]
fn one_series() {
    let wave = every_minute().map(|time| (time, 5.0 + 4.0 * (time as f64 / 600.0).sin()));
    insta::assert_snapshot!(drawing(&[series(&[("job", "api")], wave)], 80, false));
}

#[test]
fn several_series_with_a_gap_and_without_colours() {
    let up = every_minute().map(|time| (time, (time - 1_700_000_000) as f64 * 10.0));
    let gap = every_minute().filter(|time| !(1_700_001_000..1_700_002_000).contains(time));
    let flat = gap.map(|time| (time, 12_000.0));
    let both = [
        series(&[("__name__", "x"), ("job", "api"), ("zone", "a")], up),
        series(&[("__name__", "x"), ("job", "web"), ("zone", "a")], flat),
    ];
    insta::assert_snapshot!(drawing(&both, 60, false));
}

#[test]
fn colours_are_the_only_difference_to_one_without() {
    let one = [series(
        &[("job", "api")],
        every_minute().map(|time| (time, time as f64)),
    )];
    let coloured = drawing(&one, 80, true);
    assert!(coloured.contains("\u{1b}[36m"));
    let mut plain = coloured;
    for code in ["\u{1b}[36m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, drawing(&one, 80, false));
}

#[test]
fn what_cannot_be_drawn() {
    assert!(drawing(&[], 80, false).ends_with("no series\n"));
    let nan = series(&[], every_minute().map(|time| (time, f64::NAN)));
    assert!(drawing(&[nan], 80, false).ends_with("no finite values\n"));
    let many: Vec<_> = (0..20)
        .map(|n| {
            series(
                &[("n", &n.to_string())],
                every_minute().map(move |time| (time, n as f64)),
            )
        })
        .collect();
    let drawing = drawing(&many, 80, false);
    assert!(drawing.contains("and 12 more"), "{drawing}");
    assert!(
        drawing.contains("n=\"19\"") && !drawing.contains("n=\"0\""),
        "{drawing}"
    );
}

#[test]
fn axes() {
    for (values, labels) in [
        (vec![0.0, 1.0], vec!["1.0", "0.8", "0.6", "0.4", "0.2", "0"]),
        (vec![0.0], vec!["1.0", "0.8", "0.6", "0.4", "0.2", "0"]),
        (vec![3.0, 100.0], vec!["100", "80", "60", "40", "20", "0"]),
        (vec![97.0, 100.0], vec!["100", "99", "98", "97"]),
        (vec![0.0, 36_000.0], vec!["40k", "30k", "20k", "10k", "0"]),
        (vec![1.5e9], vec!["1.5G", "1.0G", "0.5G", "0"]),
        (vec![-1.0, 1.0], vec!["1.0", "0.5", "0", "-0.5", "-1.0"]),
        (
            vec![0.0, 1e-9],
            vec!["1.0e-9", "8.0e-10", "6.0e-10", "4.0e-10", "2.0e-10", "0"],
        ),
    ] {
        let axis = Axis::over(values.iter().copied(), HEIGHT).unwrap();
        let found: Vec<_> = axis
            .labels(HEIGHT)
            .into_iter()
            .filter(|label| !label.is_empty())
            .collect();
        assert_eq!(found, labels, "{values:?}");
    }
}

proptest::proptest! {
    /// Whatever the values, each line fits and nothing panics.
    #[test]
    fn any_values(bits in proptest::collection::vec(proptest::num::f64::ANY, 1..60), width in 0..300_usize) {
        let values = every_minute().zip(bits);
        let drawing = drawing(&[series(&[], values)], width, false);
        for line in drawing.lines().skip(2).take(HEIGHT + 2) {
            proptest::prop_assert!(line.chars().count() <= width.clamp(NARROWEST, WIDEST), "{line}");
        }
    }
}
