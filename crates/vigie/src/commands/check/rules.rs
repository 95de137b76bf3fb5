//! The rule files.

use std::time::Duration;

use tokio::time::Instant;
use vigie_config::Alerts;
use vigie_promql::Features;

use super::{Row, on_a_thread};
use crate::alerting;
use crate::rules::BuiltIn;

/// Whether the rule files can be used.
pub(super) async fn rules(alerts: &Alerts, features: Features, within: Duration) -> Row {
    let start = Instant::now();
    let settings = alerts.clone();
    let advice = "the disk with the rule files hangs";
    let look = move || {
        alerting::summary(&settings, features).map_err(|mistakes| {
            let first = mistakes.to_string();
            let first = first.lines().next().unwrap_or_default().to_owned();
            (
                first,
                "run `vigie rules check` on the files of alerts.rules".to_owned(),
            )
        })
    };
    let (verdict, warns) = match on_a_thread(within, advice, look).await {
        Ok((text, unmatched)) if unmatched.is_empty() => (Ok(text), false),
        Ok((text, unmatched)) => {
            let text = format!("{text}, but no file matches {}", unmatched.join(", "));
            let advice = "correct alerts.rules, unless the files come later: a reload reads them";
            (Err((text, advice.to_owned())), true)
        }
        Err(problem) => (Err(problem), false),
    };
    let builtin = alerts.builtin.iter();
    let builtin = builtin.map(|set| BuiltIn::of(*set).name().to_owned());
    let files = alerts.rules.iter().map(ToString::to_string);
    let places: Vec<_> = builtin.chain(files).collect();
    Row {
        what: "rules",
        place: match places.is_empty() {
            true => "none".to_owned(),
            false => places.join(", "),
        },
        verdict,
        warns,
        took: start.elapsed(),
    }
}
