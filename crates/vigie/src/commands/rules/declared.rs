//! Metrics of other exporters, declared in the configuration, by flags or with a `/metrics` page.

use std::path::PathBuf;

use vigie_alerts::{Known, is_label_name, is_metric_name};
use vigie_config::Settings;
use vigie_promql::Features;

use super::{CheckArgs, files};
use crate::cli::{Overrides, sources};

/// The maximum size of a page or list.
const MAX_PAGE_BYTES: usize = 64 << 20;

/// Adds all declared metrics to `known`. Returns the part of PromQL that rules may use.
///
/// # Errors
/// All mistakes, as human-readable text.
pub(super) fn declare(
    config: Option<PathBuf>,
    arguments: &CheckArgs,
    known: &mut Known,
) -> Result<Features, String> {
    let sources = sources(config, &Overrides::default());
    let settings =
        Settings::load_rules(&sources).map_err(|error| error.render(crate::logging::coloured()))?;
    let query =
        Settings::load_query(&sources).map_err(|error| error.render(crate::logging::coloured()))?;
    let mut mistakes = Vec::new();
    let inputs = arguments.metrics.iter().chain(&arguments.files);
    if inputs.filter(|path| files::is_stdin(path)).count() > 1 {
        mistakes.push("vigie: `-` is given twice, but there is one standard input".to_owned());
    }
    for path in &arguments.metrics {
        match files::read(path, MAX_PAGE_BYTES).and_then(|page| names(&page)) {
            Ok(names) => names
                .into_iter()
                .for_each(|name| known.declare_metric(name)),
            Err(error) => mistakes.push(format!("vigie: {} {error}", files::name(path))),
        }
    }
    let prefixes = arguments.prefix.iter();
    mistakes.extend(
        prefixes
            .filter(|prefix| !is_metric_name(prefix))
            .map(|prefix| format!("vigie: --prefix {prefix:?} does not begin a metric name")),
    );
    let labels = arguments.target_label.iter();
    mistakes.extend(
        labels
            .filter(|label| !is_label_name(label))
            .map(|label| format!("vigie: --target-label {label:?} is not a label name")),
    );
    if !mistakes.is_empty() {
        return Err(mistakes.join("\n"));
    }
    for name in settings.metrics {
        known.declare_metric(name);
    }
    for prefix in settings.prefixes.iter().chain(&arguments.prefix) {
        known.declare_prefix(prefix);
    }
    for label in settings.target_labels.iter().chain(&arguments.target_label) {
        known.declare_target_label(label);
    }
    Ok(query.features)
}

/// The names of the series of a page in Prometheus' text format, or of a list with one name a line.
fn names(page: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for (line, text) in page.lines().enumerate() {
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some("#"), Some("TYPE"), Some(name), kind) => {
                let parts: &[_] = match kind {
                    Some("histogram") => &["_bucket", "_sum", "_count"],
                    Some("summary") => &["", "_sum", "_count"],
                    Some("counter") => &["", "_total"],
                    _ => &[""],
                };
                names.extend(parts.iter().map(|part| format!("{name}{part}")));
            }
            (Some(word), ..) if word.starts_with('#') => {}
            (Some(word), ..) => {
                let name = word.split('{').next().unwrap_or_default();
                if !is_metric_name(name) {
                    let start: String = name.chars().take(60).collect();
                    return Err(format!("line {}: {start:?} is not a metric name", line + 1));
                }
                names.push(name.to_owned());
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::names;

    #[test]
    fn a_page_and_a_list() {
        let page = "\
# HELP node_load1 The load.
# TYPE node_load1 gauge
node_load1 0.5
# TYPE pool_seconds histogram
# TYPE hits counter
cpu_total{cpu=\"a b\"} 5 1700000000000

up
# EOF
";
        assert_eq!(
            names(page).unwrap(),
            [
                "node_load1",
                "node_load1",
                "pool_seconds_bucket",
                "pool_seconds_sum",
                "pool_seconds_count",
                "hits",
                "hits_total",
                "cpu_total",
                "up"
            ]
        );
        let error = names("up\n{\"status\": \"success\"}\n").unwrap_err();
        assert_eq!(error, "line 2: \"\" is not a metric name");
    }
}
