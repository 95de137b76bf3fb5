//! One evaluation of a group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tracing::error;
use vigie_alerts::engine::{AlertState, Context as _, Evaluation, Group, SavedGroup, Time};

use crate::alerting::context::Context;
use crate::alerting::published::{Id, Shown};

/// The result of an evaluation.
pub(super) struct Done {
    pub(super) id: Id,
    pub(super) group: Group,
    pub(super) at: Time,
    pub(super) took: Duration,
    pub(super) missed: u64,
    pub(super) evaluation: Evaluation,
    pub(super) shown: Shown,
    /// The state, if it must be saved.
    pub(super) saved: Option<SavedGroup>,
}

/// Evaluates a group on a blocking thread. A panic in it is a bug, and must not end the evaluation of the group.
pub(super) fn evaluate(
    id: Id,
    mut group: Group,
    at: Time,
    missed: u64,
    context: impl FnOnce() -> Context,
) -> Done {
    let mut context = context();
    let before = group.alert_count();
    let evaluate = AssertUnwindSafe(|| group.evaluate(at, &mut context));
    let evaluation = catch_unwind(evaluate).unwrap_or_else(|_| {
        let (file, name) = &id;
        error!(
            file,
            group = name,
            "the evaluation of a group panicked; it is evaluated again at the next time"
        );
        Evaluation {
            failures: 1,
            ..Evaluation::default()
        }
    });
    context.count(before, group.alert_count());
    // After a restart, the time without evaluations is computed from the time of the last one.
    let waits = group
        .rules()
        .flat_map(|rule| rule.alerts())
        .any(|alert| alert.keep_firing_since.is_some() || alert.state == Some(AlertState::Pending));
    let saved = (evaluation.changed || waits).then(|| group.save());
    let took = context.elapsed();
    Done {
        shown: Shown::of(&group, Some(at), took),
        took,
        id,
        group,
        at,
        missed,
        evaluation,
        saved,
    }
}
