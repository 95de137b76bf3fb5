//! Comparison of the answers of two parties.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;
use vigie_testkit::http::Response;

use super::question::Agreement;

/// How far apart two results of the same computation may be, in parts of their size.
const TOLERANCE: f64 = 1e-9;

/// Series by their labels, with their points.
type Found = BTreeMap<String, Vec<(f64, f64)>>;

/// Makes sure that a peer's answer agrees with ours; returns the number of our points.
pub(super) fn compare(
    what: &str,
    agreement: Agreement,
    [ours, peer]: [&Response; 2],
) -> anyhow::Result<usize> {
    let [ours, peer] = [found(ours)?, found(peer)?];
    let points = |found: &Found| found.values().map(Vec::len).sum::<usize>();
    let counts = [&ours, &peer].map(|found| (found.len(), points(found)));
    match agreement {
        Agreement::Points => {
            let [(_, ours), (_, peer)] = counts;
            ensure!(
                ours == peer,
                "{what}: {ours} points, and {peer} from the peer"
            );
        }
        Agreement::Counts => ensure!(
            counts[0] == counts[1],
            "{what}: {:?} series and points, and {:?} from the peer",
            counts[0],
            counts[1]
        ),
        Agreement::Values => {
            let [ours, peer] = [ours, peer].map(by_time);
            ensure!(
                ours.len() == peer.len(),
                "{what}: points at {} times, and at {} from the peer",
                ours.len(),
                peer.len()
            );
            for (time, values) in &peer {
                let own = ours.get(time).map_or(&[][..], Vec::as_slice);
                let same = own.len() == values.len()
                    && own
                        .iter()
                        .zip(values)
                        .all(|(own, value)| equal(*own, *value));
                ensure!(
                    same,
                    "{what}: at {time} {own:?}, and {values:?} from the peer"
                );
            }
        }
        Agreement::Same => {
            ensure!(
                counts[0].0 == counts[1].0,
                "{what}: {} series, and {} from the peer",
                counts[0].0,
                counts[1].0
            );
            for (labels, values) in &peer {
                let own = ours.get(labels);
                let own = own.with_context(|| format!("{what}: no {labels}"))?;
                same_points(&format!("{what}: {labels}"), own, values)?;
            }
        }
    }
    Ok(counts[0].1)
}

fn same_points(what: &str, own: &[(f64, f64)], peer: &[(f64, f64)]) -> anyhow::Result<()> {
    let [few, many] = [own.len(), peer.len()];
    ensure!(
        few == many,
        "{what}: {few} points, and {many} from the peer"
    );
    for (own, value) in own.iter().zip(peer) {
        ensure!(
            own.0 == value.0 && equal(own.1, value.1),
            "{what}: {own:?}, and {value:?} from the peer"
        );
    }
    Ok(())
}

/// The values at each time, in ascending order.
fn by_time(found: Found) -> BTreeMap<i64, Vec<f64>> {
    let mut times: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (time, value) in found.into_values().flatten() {
        times.entry((time * 1e3) as i64).or_default().push(value);
    }
    for values in times.values_mut() {
        values.sort_by(f64::total_cmp);
    }
    times
}

fn equal(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

fn found(response: &Response) -> anyhow::Result<Found> {
    let envelope = response.json()?;
    read(&envelope["data"]).context("an answer of another shape")
}

fn read(data: &Value) -> Option<Found> {
    if let Some(texts) = data.as_array() {
        // The values of a label: each is like a series with one point.
        let text = |text: &Value| Some((text.as_str()?.to_owned(), vec![(0.0, 0.0)]));
        return texts.iter().map(text).collect();
    }
    let result = &data["result"];
    if data["resultType"] == "scalar" {
        return Some(Found::from([("{}".to_owned(), vec![point(result)?])]));
    }
    let series = result.as_array()?.iter().map(|one| {
        let labels: BTreeMap<_, _> = one["metric"].as_object()?.iter().collect();
        let points = match one.get("values") {
            Some(values) => values
                .as_array()?
                .iter()
                .map(point)
                .collect::<Option<_>>()?,
            None => vec![point(&one["value"])?],
        };
        Some((format!("{labels:?}"), points))
    });
    series.collect()
}

/// `[1435781451.781, "1"]`
fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair[0].as_f64()?, pair[1].as_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(series: &[(&str, &str)]) -> Response {
        let series: Vec<_> = series
            .iter()
            .map(|(job, value)| format!(r#"{{"metric":{{"job":"{job}"}},"value":[1,"{value}"]}}"#))
            .collect();
        let result = series.join(",");
        let body = format!(r#"{{"data":{{"resultType":"vector","result":[{result}]}}}}"#);
        Response {
            status: 200,
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }

    #[test]
    fn tells_answers_apart() {
        let same = |a: &str, b: &str| {
            let answers = [a, b].map(|value| answer(&[("a", value)]));
            compare("x", Agreement::Same, answers.each_ref())
        };
        assert_eq!(same("1", "1.0000000000001").unwrap(), 1);
        assert_eq!(same("NaN", "NaN").unwrap(), 1);
        assert!(same("1", "1.000001").is_err());
        assert!(same("1", "NaN").is_err());
    }

    #[test]
    fn answers_agree_as_far_as_they_are_defined() {
        let ours = answer(&[("a", "1"), ("b", "2")]);
        let other_series = answer(&[("b", "1"), ("c", "2")]);
        let other_values = answer(&[("a", "1"), ("b", "3")]);
        let fewer = answer(&[("a", "1")]);
        let agree = |agreement, peer: &Response| compare("x", agreement, [&ours, peer]).is_ok();
        for (agreement, expected) in [
            (Agreement::Same, [false, false, false]),
            (Agreement::Values, [true, false, false]),
            (Agreement::Counts, [true, true, false]),
            (Agreement::Points, [true, true, false]),
        ] {
            let found = [&other_series, &other_values, &fewer].map(|peer| agree(agreement, peer));
            assert_eq!(found, expected, "{agreement:?}");
            assert!(agree(agreement, &ours), "{agreement:?}");
        }
    }
}
