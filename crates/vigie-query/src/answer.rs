//! The response of the query API.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Labels, including `__name__`.
pub type Labels = BTreeMap<String, String>;

/// A successful response.
#[derive(Debug)]
pub struct Answer {
    /// The result.
    pub data: Data,
    warnings: Vec<String>,
    infos: Vec<String>,
}

/// The result, by its type.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub enum Data {
    /// A number.
    Scalar(Point),
    /// A text.
    #[serde(rename = "string", deserialize_with = "text")]
    Text(String),
    /// One value for each series.
    Vector(Vec<Series>),
    /// Several values for each series.
    Matrix(Vec<Series>),
}

/// A series with its points; a vector has one point for each series.
#[derive(Debug, Deserialize)]
pub struct Series {
    /// The labels.
    #[serde(rename = "metric")]
    pub labels: Labels,
    /// The values.
    #[serde(
        alias = "value",
        alias = "values",
        default,
        deserialize_with = "one_or_many"
    )]
    pub points: Vec<Point>,
}

/// A value at a time, in Unix seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "(f64, String)")]
pub struct Point {
    /// The time.
    pub time: f64,
    /// The value.
    pub value: f64,
    /// The value as the server formatted it.
    pub text: String,
}

impl TryFrom<(f64, String)> for Point {
    type Error = String;

    fn try_from((time, text): (f64, String)) -> Result<Self, String> {
        let value = text
            .parse()
            .map_err(|_| format!("{text:?} is not a number"))?;
        Ok(Self { time, value, text })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Point),
    Many(Vec<Point>),
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Point>, D::Error> {
    Ok(match OneOrMany::deserialize(from)? {
        OneOrMany::One(point) => vec![point],
        OneOrMany::Many(points) => points,
    })
}

fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let (_, text) = <(f64, String)>::deserialize(from)?;
    Ok(text)
}

#[derive(Deserialize)]
struct Envelope {
    status: String,
    data: Option<Data>,
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

impl Answer {
    /// Parses a response. The inner error is the error message of the server.
    ///
    /// # Errors
    /// If the response has not the shape of Prometheus' API.
    pub fn parse(body: &[u8]) -> serde_json::Result<Result<Self, String>> {
        let envelope: Envelope = serde_json::from_slice(body)?;
        Ok(match (envelope.status.as_str(), envelope.data) {
            ("success", Some(data)) => Ok(Self {
                data,
                warnings: envelope.warnings,
                infos: envelope.infos,
            }),
            _ => Err(envelope
                .error
                .unwrap_or_else(|| "the server reports an error without a message".to_owned())),
        })
    }

    /// Warnings and infos, each with its kind.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let warnings = self.warnings.iter().map(|text| ("warning", text.as_str()));
        let infos = self.infos.iter().map(|text| ("info", text.as_str()));
        warnings.chain(infos)
    }
}
