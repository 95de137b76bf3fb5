//! `/vigie/v1/functions`: the functions and aggregations of PromQL that queries may use, for the completion of the web page.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use serde::Serialize;
use vigie_promql::Features;
use vigie_promql::syntax::{AggregateOp, Function, ValueType};

use super::compression;

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

/// The answer, which does not change.
fn answer(features: Features) -> String {
    let is_offered = |is_experimental: bool| features == Features::Experimental || !is_experimental;
    let functions = Function::ALL.iter().copied();
    let aggregations = AggregateOp::ALL.iter().copied();
    let callables = Callables {
        functions: functions
            .filter(|one| is_offered(one.is_experimental()))
            .map(function)
            .collect(),
        aggregations: aggregations
            .filter(|one| is_offered(one.is_experimental()))
            .map(aggregation)
            .collect(),
    };
    serde_json::json!(callables).to_string()
}

/// The path. The experimental ones are offered with [`Features::Experimental`] only.
pub(crate) fn router(features: Features) -> Router {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-cache"),
    ];
    let answer = Bytes::from(answer(features));
    Router::new()
        .route("/vigie/v1/functions", get(async move || (headers, answer)))
        .layer(compression())
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
    use vigie_promql::{parse, parse_with};

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

    /// The calls of everything that is offered.
    fn calls(features: Features) -> Vec<String> {
        let json: Value = serde_json::from_str(&answer(features)).unwrap();
        let kinds = ["functions", "aggregations"].map(|kind| json[kind].as_array().unwrap());
        assert!(kinds.iter().all(|all| all.len() > 10));
        let calls = kinds.into_iter().flatten().map(|one| {
            let name = one["name"].as_str().unwrap();
            let arguments = one["arguments"].as_array().unwrap();
            let arguments = arguments.iter().map(|one| example(one.as_str().unwrap()));
            let mut arguments = Vec::from_iter(arguments);
            if name == "info" && arguments.len() > 1 {
                // A selector without a metric name.
                arguments[1] = "{job=\"a\"}";
            }
            format!("{name}({})", arguments.join(", "))
        });
        calls.collect()
    }

    #[test]
    fn every_function_can_be_called_with_the_arguments_that_are_named() {
        let stable = calls(Features::Stable);
        for query in &stable {
            parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
        let all = calls(Features::Experimental);
        for query in &all {
            parse_with(query, Features::Experimental)
                .unwrap_or_else(|error| panic!("{query}: {error}"));
        }
        assert!(stable.iter().all(|query| all.contains(query)));
        // What is offered in addition is what the stable language refuses.
        let more: Vec<_> = all.iter().filter(|query| !stable.contains(query)).collect();
        assert!(more.len() > 5, "{more:?}");
        assert!(more.iter().all(|query| parse(query).is_err()), "{more:?}");
    }
}
