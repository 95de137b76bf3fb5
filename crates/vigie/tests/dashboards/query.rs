//! The PromQL in a dashboard, parsed by Vigie's own parser.

use std::collections::BTreeSet;

use serde_json::Value;
use vigie_promql::syntax::{Aggregate, DurationKind, RangeSelector, Selector, Visitor, walk};
use vigie_promql::{Expr, Matcher};

use crate::model::{Dashboard, Panel};

/// Replaces `$__rate_interval`, in seconds; a value unlikely in a real query.
const RATE_INTERVAL: u32 = 4321;

/// Parses an expression with its variables replaced. Those in strings may stay: `job=~"$job"` is a valid regular
/// expression.
pub(crate) fn parse(expression: &str) -> Result<Expr, String> {
    let expanded = expression.replace("$__rate_interval", &format!("{RATE_INTERVAL}s"));
    vigie_promql::parse(&expanded).map_err(|error| format!("{expression}: {error}"))
}

/// A selector and its context.
pub(crate) struct Use {
    /// The metric's name.
    pub(crate) metric: String,
    /// The matchers on labels.
    pub(crate) matchers: Vec<Matcher>,
    /// The range and the function around it, for a range selector.
    pub(crate) range: Option<Range>,
    /// The innermost aggregation around it: operator and labels.
    pub(crate) aggregate: Option<(&'static str, Vec<String>)>,
}

/// A range.
pub(crate) struct Range {
    /// The function that takes it, if any.
    pub(crate) function: Option<&'static str>,
    /// Whether it is `$__rate_interval`.
    pub(crate) is_rate_interval: bool,
}

/// Every selector of an expression.
pub(crate) fn uses(expr: &Expr) -> Vec<Use> {
    struct Uses(Vec<Use>);
    impl<'a> Visitor<'a> for Uses {
        fn selector(&mut self, selector: &'a Selector, ancestors: &[&'a Expr]) {
            let range = match ancestors {
                [.., Expr::Call(call), Expr::Range(range)] => {
                    Some((Some(call.function.name()), range))
                }
                [.., Expr::Range(range)] => Some((None, range)),
                _ => None,
            };
            let mut outwards = ancestors.iter().rev();
            let aggregate = outwards.find_map(|node| match node {
                Expr::Aggregate(aggregate) => Some((aggregate.op.text(), grouping(aggregate))),
                _ => None,
            });
            self.0.push(Use {
                metric: selector.metric().unwrap_or_default().to_owned(),
                matchers: selector
                    .matchers
                    .iter()
                    .map(|m| m.matcher.clone())
                    .collect(),
                range: range.map(|(function, range)| Range {
                    function,
                    is_rate_interval: seconds(range) == Some(f64::from(RATE_INTERVAL)),
                }),
                aggregate,
            });
        }
    }
    let mut uses = Uses(Vec::new());
    walk(expr, &mut uses);
    uses.0
}

/// The length of a range, if it is a plain duration.
fn seconds(range: &RangeSelector) -> Option<f64> {
    match &range.range.kind {
        DurationKind::Literal(seconds) => Some(*seconds),
        _ => None,
    }
}

/// The labels after `by`; `without` is not used here.
pub(crate) fn grouping(aggregate: &Aggregate) -> Vec<String> {
    let Some(grouping) = &aggregate.grouping else {
        return Vec::new();
    };
    assert!(
        !grouping.without,
        "`without` keeps unexpected labels; use `by`"
    );
    grouping
        .labels
        .iter()
        .map(|label| label.text.clone())
        .collect()
}

/// The labels that the series of a result may have, if a metric has `of_metric`.
pub(crate) fn labels(
    expr: &Expr,
    of_metric: &impl Fn(&str) -> BTreeSet<String>,
) -> BTreeSet<String> {
    match expr {
        Expr::Selector(selector) => of_metric(selector.metric().unwrap_or_default()),
        Expr::Range(range) => of_metric(range.selector.metric().unwrap_or_default()),
        Expr::Aggregate(aggregate) => grouping(aggregate).into_iter().collect(),
        Expr::Call(call) => {
            let mut found: BTreeSet<_> = call
                .args
                .iter()
                .flat_map(|arg| labels(arg, of_metric))
                .collect();
            if call.function.name() == "histogram_quantile" {
                found.remove("le");
            }
            found
        }
        _ => expr
            .children()
            .flat_map(|child| labels(child, of_metric))
            .collect(),
    }
}

/// Every expression of a dashboard with its place: panels, annotations, variables.
pub(crate) fn expressions(dashboard: &Dashboard) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in dashboard.panels() {
        found.extend(
            panel
                .expressions()
                .into_iter()
                .map(|text| (panel.title().to_owned(), text.to_owned())),
        );
    }
    for annotation in dashboard.json["annotations"]["list"].as_array().unwrap() {
        let text = annotation["target"]["expr"].as_str().unwrap();
        found.push((annotation["name"].to_string(), text.to_owned()));
    }
    for variable in dashboard
        .variables()
        .iter()
        .filter(|variable| variable["type"] == "query")
    {
        let (selector, _) = label_values(variable).unwrap();
        found.push((variable["name"].to_string(), selector));
    }
    found
}

/// The selector and the label of a variable that is `label_values(selector, label)`.
pub(crate) fn label_values(variable: &Value) -> Option<(String, String)> {
    let inside = variable["query"]
        .as_str()?
        .strip_prefix("label_values(")?
        .strip_suffix(')')?;
    let (selector, label) = inside.rsplit_once(", ")?;
    Some((selector.to_owned(), label.to_owned()))
}

/// The labels used in a legend.
pub(crate) fn legend_labels(panel: Panel<'_>, target: usize) -> Vec<&str> {
    let legend = panel.targets()[target]["legendFormat"]
        .as_str()
        .unwrap_or_default();
    let named = legend.split("{{").skip(1);
    named
        .filter_map(|part| Some(part.split_once("}}")?.0))
        .collect()
}
