//! A query over HTTP, to either party.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use url::form_urlencoded;
use vigie_testkit::http::{Connection, Response};

use super::data;

const LATE: Duration = Duration::from_secs(60);
/// How long an answer is waited for without sleeping. Longer would take a processor from those who answer.
const AWAKE: Duration = Duration::from_millis(1);
/// How far apart two results of the same computation may be, in parts of their size.
const TOLERANCE: f64 = 1e-9;

/// A question, at times that no sample has: there the windows of Prometheus 2 and 3 hold the same.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) expression: &'static str,
    pub(super) times: Times,
}

#[derive(Clone, Copy)]
pub(super) enum Times {
    /// Once, at the end.
    End,
    /// This many times, every so many seconds, up to the end.
    Range(i64, i64),
}

impl Question {
    fn request(&self, addr: SocketAddr) -> String {
        let end = data::END - 8;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("query", self.expression);
        let endpoint = match self.times {
            Times::End => {
                form.append_pair("time", &end.to_string());
                "query"
            }
            Times::Range(count, step) => {
                let start = end - (count - 1) * step;
                for (name, value) in [("start", start), ("end", end), ("step", step)] {
                    form.append_pair(name, &value.to_string());
                }
                "query_range"
            }
        };
        let body = form.finish();
        format!(
            "POST /api/v1/{endpoint} HTTP/1.1\r\nhost: {addr}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// A connection to one of the parties, which is kept.
pub(super) struct Party {
    addr: SocketAddr,
    connection: Connection,
}

impl Party {
    pub(super) async fn connect(addr: SocketAddr) -> anyhow::Result<Self> {
        let connection = Connection::open(addr).await?.deadline(LATE);
        Ok(Self { addr, connection })
    }

    /// The answer, and the milliseconds from the first byte asked to the last one answered.
    ///
    /// For the first of them it is waited without sleeping: to be woken takes as long as a small query does.
    pub(super) async fn ask(&mut self, question: &Question) -> anyhow::Result<(Response, f64)> {
        let request = question.request(self.addr);
        let start = Instant::now();
        self.connection.send(request.as_bytes()).await?;
        let mut response = pin!(self.connection.response());
        let awake = async {
            while start.elapsed() < AWAKE {
                tokio::task::yield_now().await;
            }
        };
        let response = tokio::select! {
            response = &mut response => response?,
            () = awake => response.await?,
        };
        let took = start.elapsed();
        let status = response.status;
        ensure!(
            status == 200,
            "{}: {status} {}",
            question.expression,
            response.text()
        );
        Ok((response, took.as_secs_f64() * 1e3))
    }
}

/// Series by their labels, with their points.
type Found = BTreeMap<String, Vec<(f64, f64)>>;

/// Makes sure that both answers are the same; gives the number of their points.
pub(super) fn compare(question: &Question, [ours, peer]: [&Response; 2]) -> anyhow::Result<usize> {
    let expression = question.expression;
    let [ours, peer] = [found(ours)?, found(peer)?];
    let [few, many] = [ours.len(), peer.len()];
    ensure!(
        few == many,
        "{expression}: {few} series, and {many} from Prometheus"
    );
    let mut points = 0;
    for (labels, values) in &peer {
        let Some(own) = ours.get(labels) else {
            bail!("{expression}: no {labels}");
        };
        let [few, many] = [own.len(), values.len()];
        ensure!(
            few == many,
            "{expression}: {labels}: {few} points, and {many} from Prometheus"
        );
        for (own, value) in own.iter().zip(values) {
            ensure!(
                own.0 == value.0 && equal(own.1, value.1),
                "{expression}: {labels}: {own:?}, and {value:?} from Prometheus"
            );
        }
        points += values.len();
    }
    ensure!(points > 0, "{expression}: no answer");
    Ok(points)
}

fn equal(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

fn found(response: &Response) -> anyhow::Result<Found> {
    let envelope = response.json()?;
    let data = &envelope["data"];
    let result = &data["result"];
    let read = || -> Option<Found> {
        if data["resultType"] == "scalar" {
            return Some(Found::from([(String::new(), vec![point(result)?])]));
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
    };
    read().context("an answer of another shape")
}

/// `[1435781451.781, "1"]`
fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair[0].as_f64()?, pair[1].as_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(value: &str) -> Response {
        let series = format!(r#"{{"metric":{{"job":"a"}},"value":[1,"{value}"]}}"#);
        let body = format!(r#"{{"data":{{"resultType":"vector","result":[{series}]}}}}"#);
        Response {
            status: 200,
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }

    #[test]
    fn tells_answers_apart() {
        let question = Question {
            name: "",
            expression: "x",
            times: Times::End,
        };
        let same = |a: &str, b: &str| compare(&question, [&answer(a), &answer(b)]);
        assert_eq!(same("1", "1.0000000000001").unwrap(), 1);
        assert_eq!(same("NaN", "NaN").unwrap(), 1);
        assert!(same("1", "1.000001").is_err());
        assert!(same("1", "NaN").is_err());
    }
}
