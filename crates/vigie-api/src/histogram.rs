//! Native histograms as JSON.

use vigie_promql::{Bucket, Histogram, HistogramSample};

use crate::number;

/// `,"histograms":[…]`; nothing without histograms.
pub(crate) fn list(out: &mut Vec<u8>, histograms: &[HistogramSample]) {
    if histograms.is_empty() {
        return;
    }
    out.extend_from_slice(br#","histograms":["#);
    for (at, sample) in histograms.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        point(out, sample.time, &sample.histogram);
    }
    out.push(b']');
}

/// `[1435781451.781,{"count":"2","sum":"3","buckets":[[0,"1","2","2"]]}]`: each bucket has the kind of its bounds, its
/// bounds and its count.
pub(crate) fn point(out: &mut Vec<u8>, time: i64, histogram: &Histogram) {
    out.push(b'[');
    number::timestamp(out, time);
    out.extend_from_slice(br#",{"count":"#);
    quoted(out, histogram.count());
    out.extend_from_slice(br#","sum":"#);
    quoted(out, histogram.sum());
    let buckets = histogram.buckets().filter(|bucket| bucket.count != 0.0);
    for (at, bucket) in buckets.clone().enumerate() {
        out.extend_from_slice(if at == 0 { br#","buckets":["# } else { b"," });
        out.extend_from_slice(kind(bucket));
        for number in [bucket.lower, bucket.upper, bucket.count] {
            out.push(b',');
            quoted(out, number);
        }
        out.push(b']');
    }
    if buckets.count() > 0 {
        out.push(b']');
    }
    out.extend_from_slice(b"}]");
}

/// The bracket of a bucket and the number that tells which bounds belong to it.
fn kind(bucket: Bucket) -> &'static [u8] {
    match (bucket.lower_inclusive, bucket.upper_inclusive) {
        (false, true) => b"[0",
        (true, false) => b"[1",
        (false, false) => b"[2",
        (true, true) => b"[3",
    }
}

fn quoted(out: &mut Vec<u8>, value: f64) {
    out.push(b'"');
    number::value(out, value);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use vigie_promql::script::notation::{self, Point};

    use super::*;

    #[test]
    fn buckets_have_kinds_of_bounds() {
        let written =
            "{{schema:0 count:9 sum:0.5 z_bucket:1 z_bucket_w:0.25 buckets:[0 2] n_buckets:[6]}}";
        let points = notation::points(written).unwrap_or_default();
        let [Point::Histogram(written)] = &*points else {
            panic!("{points:?}");
        };
        let mut out = Vec::new();
        let sample = HistogramSample {
            time: 1_500,
            histogram: written.histogram.clone(),
        };
        list(&mut out, &[sample]);
        let expected = r#","histograms":[[1.500,{"count":"9","sum":"0.5","buckets":[[1,"-1","-0.5","6"],[3,"-0.25","0.25","1"],[0,"1","2","2"]]}]]"#;
        assert_eq!(String::from_utf8_lossy(&out), expected);
        list(&mut out, &[]);
        assert!(out.ends_with(b"]"));
    }
}
