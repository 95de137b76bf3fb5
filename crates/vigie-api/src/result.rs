//! The result of a query, written while it is sent: its samples never stand in memory as JSON all at once.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec::IntoIter;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Frame;
use vigie_promql::value::{MatrixSeries, VectorSample};
use vigie_promql::{Sample, Value};

use crate::gate::Permit;
use crate::json::{self, Remarks};
use crate::number;

/// About how many bytes are written at a time. Shorter answers are sent whole.
const PIECE: usize = 64 << 10;

/// What a query cost.
pub(crate) struct Stats {
    pub(crate) queued: Duration,
    pub(crate) prepared: Duration,
    pub(crate) evaluated: Duration,
    /// Samples that were read and made; no more were held at a time.
    pub(crate) samples: usize,
    /// Samples that selectors and ranges gave at all steps.
    pub(crate) queried: u64,
}

/// An answer that is being written.
pub(crate) struct Answer {
    /// What was written and not yet sent.
    out: Vec<u8>,
    series: Series,
    /// The samples of the series that is being written.
    samples: Option<IntoIter<Sample>>,
    /// The instant of a vector's samples.
    time: i64,
    first: bool,
    /// What stands after the result; empty once it is written.
    tail: Vec<u8>,
}

enum Series {
    Vector(IntoIter<VectorSample>),
    Matrix(IntoIter<MatrixSeries>),
}

impl Answer {
    /// The answer, with its first piece written.
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
            time,
            first: true,
            tail,
        };
        answer.write_piece();
        answer
    }

    /// The response. It holds the permit, if the query had to have one, for as long as it holds samples.
    pub(crate) fn into_response(self, permit: Option<Permit>) -> Response {
        if self.is_written() {
            return (json::HEADERS, self.out).into_response();
        }
        let body = Sending {
            answer: self,
            _permit: permit,
        };
        (json::HEADERS, Body::new(body)).into_response()
    }

    fn is_written(&self) -> bool {
        self.tail.is_empty()
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
                        self.out.extend_from_slice(b"]}");
                        self.samples = None;
                        self.first = false;
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
                self.out.extend_from_slice(br#","value":"#);
                point(&mut self.out, self.time, sample.value);
                self.out.push(b'}');
            }
            Series::Matrix(series) => {
                let Some(series) = series.next() else {
                    return false;
                };
                self.comma();
                self.metric(&series.labels);
                self.out.extend_from_slice(br#","values":["#);
                self.samples = Some(series.samples.into_iter());
                self.first = true;
            }
        }
        true
    }

    /// Before every item but the first of its list.
    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
    }

    fn metric(&mut self, labels: &vigie_promql::Labels) {
        self.out.extend_from_slice(br#"{"metric":"#);
        json::labels(&mut self.out, labels);
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

/// A scalar or a string with its time, which Prometheus writes as any float.
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
            self.samples,
        );
    }
}

/// The rest of an answer, written when the client takes it.
struct Sending {
    answer: Answer,
    _permit: Option<Permit>,
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let answer = &mut self.answer;
        answer.write_piece();
        if answer.out.is_empty() {
            return Poll::Ready(None);
        }
        let piece = std::mem::take(&mut answer.out);
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_written() && self.answer.out.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use vigie_promql::Labels;

    #[test]
    fn a_long_answer_is_written_in_pieces_and_right() {
        let series = |job: &str| MatrixSeries {
            labels: Labels::new([("job", job)]),
            samples: (0..5_000)
                .map(|at| Sample {
                    time: at * 1_000,
                    value: at as f64 / 4.0,
                })
                .collect(),
        };
        let value = Value::Matrix(vec![series("a"), series("b"), series("c")]);
        let remarks = Remarks {
            warnings: vec!["w".into()],
            infos: vec![],
        };
        let mut answer = Answer::new(value, 0, None, &remarks);
        let mut whole = Vec::new();
        let mut pieces = 0;
        while !answer.out.is_empty() {
            assert!(answer.out.len() < PIECE + 1_024, "{}", answer.out.len());
            whole.append(&mut answer.out);
            pieces += 1;
            answer.write_piece();
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
