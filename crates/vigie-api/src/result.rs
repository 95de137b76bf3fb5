//! Serializes the result of a query while it is sent, so that its JSON is never in memory as a whole.

use std::io::Write as _;
use std::time::Duration;
use std::vec::IntoIter;

use vigie_promql::value::{HistogramSample, MatrixSeries, VectorSample};
use vigie_promql::{Labels, Sample, Value};

use crate::histogram;
use crate::json::{self, Remarks};
use crate::number;
use crate::sending::{PIECE, Pieces};

/// The cost of a query.
pub(crate) struct Stats {
    pub(crate) queued: Duration,
    pub(crate) prepared: Duration,
    pub(crate) evaluated: Duration,
    /// The most samples that were held at a time.
    pub(crate) peak_samples: usize,
    /// Samples that selectors and ranges returned at all steps.
    pub(crate) queried: u64,
}

/// A result that is being serialized.
pub(crate) struct Answer {
    /// Serialized and not yet sent.
    out: Vec<u8>,
    series: Series,
    /// The floats of the current series.
    samples: Option<IntoIter<Sample>>,
    /// The native histograms of the current series.
    histograms: Vec<HistogramSample>,
    /// The time of a vector's samples.
    time: i64,
    first: bool,
    /// The end of the response; empty once it is written.
    tail: Vec<u8>,
}

enum Series {
    Vector(IntoIter<VectorSample>),
    Matrix(IntoIter<MatrixSeries>),
}

impl Answer {
    /// The result with its first piece serialized.
    pub(crate) fn new(value: Value, time: i64, stats: Option<Stats>, remarks: &Remarks) -> Self {
        let mut out = json::HEAD.to_vec();
        out.extend_from_slice(br#"{"resultType":""#);
        let (kind, bracket) = match &value {
            Value::Scalar(_) => ("scalar", ""),
            Value::Text(_) => ("string", ""),
            Value::Vector(_) => ("vector", "["),
            Value::Matrix(_) => ("matrix", "["),
        };
        let _ = write!(out, "{kind}\",\"result\":{bracket}");
        let mut tail = match bracket {
            "" => Vec::new(),
            _ => vec![b']'],
        };
        let none = Series::Vector(Vec::new().into_iter());
        let series = match value {
            Value::Scalar(value) => {
                pair(&mut out, time, |out| {
                    out.push(b'"');
                    number::plain(out, value);
                    out.push(b'"');
                });
                none
            }
            Value::Text(text) => {
                pair(&mut out, time, |out| json::string(out, &text));
                none
            }
            Value::Vector(samples) => Series::Vector(samples.into_iter()),
            Value::Matrix(series) => Series::Matrix(series.into_iter()),
        };
        if let Some(stats) = stats {
            stats.write(&mut tail);
        }
        tail.push(b'}');
        remarks.end(&mut tail);
        let mut answer = Self {
            out,
            series,
            samples: None,
            histograms: Vec::new(),
            time,
            first: true,
            tail,
        };
        answer.write_piece();
        answer
    }

    /// Writes about one [`PIECE`] more.
    fn write_piece(&mut self) {
        while self.out.len() < PIECE && !self.is_written() {
            if let Some(samples) = &mut self.samples {
                match samples.next() {
                    Some(sample) => {
                        self.comma();
                        point(&mut self.out, sample.time, sample.value);
                    }
                    None => {
                        self.out.push(b']');
                        self.samples = None;
                        self.first = false;
                        self.end_series();
                    }
                }
            } else if !self.next_series() {
                self.out.append(&mut self.tail);
            }
        }
    }

    fn next_series(&mut self) -> bool {
        match &mut self.series {
            Series::Vector(series) => {
                let Some(sample) = series.next() else {
                    return false;
                };
                self.comma();
                self.metric(&sample.labels);
                match &sample.histogram {
                    None => {
                        self.out.extend_from_slice(br#","value":"#);
                        point(&mut self.out, self.time, sample.value);
                    }
                    Some(one) => {
                        self.out.extend_from_slice(br#","histogram":"#);
                        histogram::point(&mut self.out, self.time, one);
                    }
                }
                self.out.push(b'}');
            }
            Series::Matrix(series) => {
                let Some(series) = series.next() else {
                    return false;
                };
                self.comma();
                self.metric(&series.labels);
                self.histograms = series.histograms;
                if series.samples.is_empty() && !self.histograms.is_empty() {
                    self.end_series();
                    return true;
                }
                self.out.extend_from_slice(br#","values":["#);
                self.samples = Some(series.samples.into_iter());
                self.first = true;
            }
        }
        true
    }

    /// The histograms of a series, and its end.
    fn end_series(&mut self) {
        let histograms = std::mem::take(&mut self.histograms);
        histogram::list(&mut self.out, &histograms);
        self.out.push(b'}');
    }

    /// Before each item of a list except the first.
    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
    }

    fn metric(&mut self, labels: &Labels) {
        let text = long_text(labels);
        if text > 0 {
            // Room for what follows too, so that the long text is not copied.
            self.out.reserve_exact(text + 1_024);
        }
        self.out.extend_from_slice(br#"{"metric":"#);
        json::labels(&mut self.out, labels);
    }
}

impl Pieces for Answer {
    fn next_piece(&mut self) -> Vec<u8> {
        let piece = std::mem::take(&mut self.out);
        self.write_piece();
        piece
    }

    fn is_written(&self) -> bool {
        self.tail.is_empty()
    }
}

/// The length of the labels' text if it is longer than a piece, else 0.
fn long_text(labels: &Labels) -> usize {
    match json::longest_labels(labels) > PIECE {
        true => json::labels_length(labels),
        false => 0,
    }
}

/// The longest text that has to be written at once, in bytes: that of a series' labels, where it is longer than a piece.
/// Escaped, labels that a query made may take six times their memory.
pub(crate) fn longest_text(value: &Value) -> usize {
    match value {
        Value::Scalar(_) | Value::Text(_) => 0,
        Value::Vector(series) => series
            .iter()
            .map(|one| long_text(&one.labels))
            .max()
            .unwrap_or(0),
        Value::Matrix(series) => series
            .iter()
            .map(|one| long_text(&one.labels))
            .max()
            .unwrap_or(0),
    }
}

/// `[1435781451.781,"1"]`.
fn point(out: &mut Vec<u8>, time: i64, value: f64) {
    out.push(b'[');
    number::timestamp(out, time);
    out.extend_from_slice(b",\"");
    number::value(out, value);
    out.extend_from_slice(b"\"]");
}

/// A scalar or a string with its time, which Prometheus formats as a float.
fn pair(out: &mut Vec<u8>, time: i64, value: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'[');
    number::float_timestamp(out, time);
    out.push(b',');
    value(out);
    out.push(b']');
}

impl Stats {
    fn write(&self, out: &mut Vec<u8>) {
        let seconds = |duration: Duration| duration.as_secs_f64();
        let _ = write!(
            out,
            r#","stats":{{"timings":{{"evalTotalTime":{},"resultSortTime":0,"queryPreparationTime":{},"innerEvalTime":{},"execQueueTime":{},"execTotalTime":{}}},"samples":{{"totalQueryableSamples":{},"peakSamples":{}}}}}"#,
            seconds(self.prepared + self.evaluated),
            seconds(self.prepared),
            seconds(self.evaluated),
            seconds(self.queued),
            seconds(self.queued + self.prepared + self.evaluated),
            self.queried,
            self.peak_samples,
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use vigie_promql::Labels;

    #[test]
    fn a_long_result_is_serialized_in_pieces() {
        let series = |job: &str| MatrixSeries {
            labels: Labels::new([("job", job)]),
            samples: (0..5_000)
                .map(|at| Sample {
                    time: at * 1_000,
                    value: at as f64 / 4.0,
                })
                .collect(),
            histograms: Vec::new(),
        };
        let value = Value::Matrix(vec![series("a"), series("b"), series("c")]);
        let remarks = Remarks {
            warnings: vec!["w".into()],
            infos: vec![],
        };
        let mut answer = Answer::new(value, 0, None, &remarks);
        let mut whole = Vec::new();
        let mut pieces = 0;
        loop {
            let is_last = answer.is_written();
            let mut piece = answer.next_piece();
            assert!(piece.len() < PIECE + 1_024, "{}", piece.len());
            whole.append(&mut piece);
            pieces += 1;
            if is_last {
                break;
            }
        }
        assert!(pieces > 3, "{pieces}");
        let read: serde_json::Value = serde_json::from_slice(&whole).unwrap();
        assert_eq!(read["warnings"][0], "w");
        let result = read["data"]["result"].as_array().unwrap();
        let jobs: Vec<_> = result.iter().map(|one| &one["metric"]["job"]).collect();
        assert_eq!(jobs, ["a", "b", "c"]);
        for one in result {
            let values = one["values"].as_array().unwrap();
            assert_eq!(values.len(), 5_000);
            assert_eq!(values[4_999], serde_json::json!([4_999, "1249.75"]));
        }
    }
}
