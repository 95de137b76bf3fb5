//! Series with their values.

use vigie_promql::Labels;
use vigie_promql::script::notation::{self, Point};

use super::values::invalid;
use crate::rules::reader::{Keys, Reader, field};
use crate::yaml::Node;

const SERIES: Keys = Keys {
    of: "an input series",
    known: &["series", "values"],
};

pub(super) fn series(node: &Node, reader: &mut Reader) -> Option<(Labels, Vec<Point>)> {
    let fields = reader.fields(node, &SERIES);
    let Some(name) = field(&fields, "series") else {
        reader.missing(node.start(), "series", SERIES.of);
        return None;
    };
    let name = reader.text(name)?;
    let labels = match metric(name) {
        Ok(labels) => labels,
        Err(reason) => {
            invalid(name, "a series", &reason, reader);
            return None;
        }
    };
    let Some(values) = field(&fields, "values").and_then(|field| reader.any_text(field)) else {
        return Some((labels, Vec::new()));
    };
    match notation::points(&values.replace('\n', " ")) {
        Ok(points)
            if points
                .iter()
                .any(|point| matches!(point, Point::Histogram(_))) =>
        {
            let label = "native histograms are not supported";
            invalid(
                values,
                "a list of values that Vigie can load",
                label,
                reader,
            );
            None
        }
        Ok(points) => Some((labels, points)),
        Err(reason) => {
            invalid(values, "a list of values", &reason, reader);
            None
        }
    }
}

/// A series without values.
pub(super) fn metric(text: &str) -> Result<Labels, String> {
    let (labels, points) = notation::series(text.trim())?;
    match points.is_empty() {
        true => Ok(labels),
        false => Err("the labels are followed by values".to_owned()),
    }
}
