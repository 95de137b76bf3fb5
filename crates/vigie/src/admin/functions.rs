//! `/vigie/v1/functions`: the functions and aggregations of PromQL, without the experimental ones, for the completion
//! of the web page.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use serde::Serialize;
use vigie_promql::syntax::{AggregateOp, Function, ValueType};

/// A function or an aggregation.
#[derive(Serialize)]
struct Callable {
    name: &'static str,
    /// The types of its arguments; `?` marks an optional one, and `…` one that may be repeated or absent.
    arguments: Vec<String>,
}

/// The answer.
#[derive(Serialize)]
struct Callables {
    functions: Vec<Callable>,
    aggregations: Vec<Callable>,
}

/// The JSON, which does not change.
static JSON: LazyLock<String> = LazyLock::new(|| {
    let functions = Function::ALL.iter().copied();
    let aggregations = AggregateOp::ALL.iter().copied();
    let callables = Callables {
        functions: functions
            .filter(|one| !one.is_experimental())
            .map(function)
            .collect(),
        aggregations: aggregations
            .filter(|one| !one.is_experimental())
            .map(aggregation)
            .collect(),
    };
    serde_json::json!(callables).to_string()
});

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-cache"),
    ];
    Router::new().route(
        "/vigie/v1/functions",
        get(async move || (headers, JSON.as_str())),
    )
}

fn function(function: Function) -> Callable {
    let mut arguments: Vec<String> = function
        .args()
        .iter()
        .map(|kind| text(*kind).to_owned())
        .collect();
    let (least, most) = function.arg_count();
    if let Some(last) = arguments.last_mut().filter(|_| least < most) {
        last.push(if most == usize::MAX { '…' } else { '?' });
    }
    Callable {
        name: function.name(),
        arguments,
    }
}

fn aggregation(op: AggregateOp) -> Callable {
    let kinds = op.param().into_iter().chain([ValueType::Vector]);
    Callable {
        name: op.text(),
        arguments: kinds.map(|kind| text(kind).to_owned()).collect(),
    }
}

/// The type in the words of Prometheus' documentation.
fn text(kind: ValueType) -> &'static str {
    match kind {
        ValueType::Scalar => "scalar",
        ValueType::String => "string",
        ValueType::Vector => "instant vector",
        ValueType::Matrix => "range vector",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;
    use vigie_promql::parse;

    use super::*;

    /// An argument of each type.
    fn example(argument: &str) -> &'static str {
        match argument.trim_end_matches(['?', '…']) {
            "scalar" => "1",
            "string" => "\"a\"",
            "instant vector" => "up",
            "range vector" => "up[5m]",
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_function_can_be_called_with_the_arguments_that_are_named() {
        let json: Value = serde_json::from_str(&JSON).unwrap();
        for kind in ["functions", "aggregations"] {
            let all = json[kind].as_array().unwrap();
            assert!(all.len() > 10);
            for one in all {
                let name = one["name"].as_str().unwrap();
                let arguments: Vec<_> = one["arguments"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|argument| example(argument.as_str().unwrap()))
                    .collect();
                let query = format!("{name}({})", arguments.join(", "));
                parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
            }
        }
    }
}
