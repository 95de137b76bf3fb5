//! The current results of parts and selectors.

use std::fmt::Write as _;

use anyhow::Result;
use vigie_promql::METRIC_NAME;
use vigie_query::{Data, Series, printable};

use super::super::list::number;
use super::parts::Part;
use super::selectors::Counted;
use crate::commands::remote::Remote;

/// The most series shown of a part.
const MOST_SERIES: usize = 5;

/// A part, its results, and how many of them fulfil its condition.
pub(super) fn of_part(remote: &Remote, part: &Part<'_>) -> Result<String> {
    let (depth, query, condition) = match part {
        Part::Operator { depth, op } => return Ok(format!("{}{}\n", indent(*depth), op.text())),
        Part::Vector {
            depth,
            query,
            condition,
        } => (*depth, *query, condition),
    };
    let mut text = format!("{}{query}\n", indent(depth));
    let inner = indent(depth + 2);
    let result = match remote.query(&query.to_string())? {
        Ok(answer) => answer.data,
        Err(error) => {
            let _ = writeln!(text, "{inner}error: {}", printable(&error));
            return Ok(text);
        }
    };
    let series = match &result {
        Data::Vector(series) => series.as_slice(),
        Data::Scalar(point) => {
            let _ = writeln!(text, "{inner}{}", number(&point.text));
            &[]
        }
        Data::Matrix(_) | Data::Text(_) => &[],
    };
    if matches!(&result, Data::Vector(series) if series.is_empty()) {
        let _ = writeln!(text, "{inner}no result");
    }
    for one in series.iter().take(MOST_SERIES) {
        let line = format!(
            "{inner}{}  {}",
            value(one),
            vigie_query::named(&one.labels, METRIC_NAME)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if series.len() > MOST_SERIES {
        let _ = writeln!(text, "{inner}… and {} more", series.len() - MOST_SERIES);
    }
    if let Some(condition) = condition {
        let values = series.iter().filter_map(|one| one.points.first());
        let held = condition.count(values.map(|point| point.value));
        let held = held.filter(|_| !series.is_empty());
        let held = held.map_or_else(String::new, |held| format!(": {held} of {}", series.len()));
        let _ = writeln!(text, "{}must be {condition}{held}", indent(depth + 1));
    }
    Ok(text)
}

/// A selector, and the number of its series.
pub(super) fn of_selector(remote: &Remote, selector: &Counted) -> Result<String> {
    let answer = remote.query(&selector.count)?;
    Ok(counted(&selector.text, answer.map(|answer| answer.data)))
}

fn counted(selector: &str, answer: Result<Data, String>) -> String {
    match answer {
        Ok(Data::Vector(series)) => {
            let count = series.first().map_or_else(|| "none".to_owned(), value);
            format!("  {count:>6}  {selector}\n")
        }
        Ok(_) => format!("   error  {selector}: the result is not a vector\n"),
        Err(error) => format!("   error  {selector}: {}\n", printable(&error)),
    }
}

fn value(series: &Series) -> String {
    let point = series.points.first();
    point.map_or_else(String::new, |point| number(&point.text))
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_failed_is_not_none() {
        let answer = |body: &str| {
            let parsed = vigie_query::Answer::parse(body.as_bytes()).unwrap();
            counted("up", parsed.map(|answer| answer.data))
        };
        let vector = |result: &str| {
            answer(&format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#
            ))
        };
        assert_eq!(vector(""), "    none  up\n");
        assert_eq!(
            vector(r#"{"metric":{},"value":[0,"12"]}"#),
            "      12  up\n"
        );
        assert_eq!(
            answer(r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#),
            "   error  up: query timed out\n"
        );
    }
}
