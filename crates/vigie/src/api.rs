//! The source of the API: the samples of the history, the descriptions of the registry and the rules.

use std::ops::ControlFlow;
use std::sync::Arc;

use vigie_api::rules::RuleGroup;
use vigie_api::{Api, BuildInfo, Metadata, MetricKind, Settings, Source};
use vigie_metrics::{Kind, Registry};
use vigie_probes::Clock;
use vigie_promql::storage::{ConcurrentStorage, Selection, StorageError};
use vigie_promql::{Labels, Sample, Samples, Storage};

use crate::alerting::Published;
use crate::history::Current;

/// The API over the history, the descriptions of the registry and the rules.
pub(crate) fn api(
    history: &Current,
    registry: &Registry,
    rules: &Published,
    settings: &Settings,
    clock: Clock,
) -> Api {
    let source = Known {
        history: history.clone(),
        registry: registry.clone(),
        rules: rules.clone(),
    };
    let now = move || clock.millis();
    let build = BuildInfo::default();
    Api::with_clock(Arc::new(source), settings.clone(), build, now)
}

/// Not shown: the API answers 503 until the history is loaded.
const LOADING: &str = "it is being loaded";

struct Known {
    history: Current,
    registry: Registry,
    rules: Published,
}

impl Storage for Known {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.history
            .loaded()
            .ok_or(LOADING)?
            .select(selection, each)
    }

    fn concurrent(&self) -> Option<&dyn ConcurrentStorage> {
        Some(self)
    }

    fn estimate(&self, selection: &Selection<'_>) -> usize {
        self.history
            .loaded()
            .map_or(0, |history| history.estimate(selection))
    }
}

impl ConcurrentStorage for Known {
    fn newest(&self) -> i64 {
        self.history
            .loaded()
            .map_or(i64::MAX, |history| history.newest())
    }

    fn select_part(
        &self,
        selection: &Selection<'_>,
        part: (usize, usize),
        each: &mut dyn FnMut(&Labels, Samples<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.history
            .loaded()
            .ok_or(LOADING)?
            .select_part(selection, part, each)
    }
}

impl Source for Known {
    fn series(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let &Selection {
            matchers,
            start,
            end,
        } = selection;
        let history = self.history.loaded().ok_or(LOADING)?;
        for labels in history.series(matchers, start, end) {
            if each(&labels).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn span(&self) -> Result<Option<(i64, i64)>, StorageError> {
        let stats = self.history.loaded().ok_or(LOADING)?.stats();
        Ok(stats.oldest.zip(stats.newest))
    }

    fn is_ready(&self) -> bool {
        self.history.loaded().is_some()
    }

    fn metadata(&self) -> Vec<Metadata> {
        let metas = self.registry.metas().into_iter();
        let metadata = metas.map(|meta| Metadata {
            name: meta.name.to_owned(),
            kind: match meta.kind {
                Kind::Counter => MetricKind::Counter,
                Kind::Gauge => MetricKind::Gauge,
                Kind::Histogram => MetricKind::Histogram,
                Kind::Untyped => MetricKind::Unknown,
            },
            help: meta.help.to_owned(),
            unit: String::new(),
        });
        metadata.collect()
    }

    fn rules(&self) -> Vec<Arc<RuleGroup>> {
        self.rules.groups()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use jiff::Timestamp;
    use tower::ServiceExt as _;
    use vigie_probes::Moment;

    use super::*;

    #[tokio::test]
    async fn a_query_without_a_time_is_evaluated_at_the_time_of_the_clock() {
        let clock = Clock::new(|| Moment {
            elapsed: std::time::Duration::ZERO,
            wall: Timestamp::constant(1_767_268_800, 0),
        });
        let history = Current::in_memory(&vigie_history::Settings::default()).unwrap();
        let (registry, rules) = (Registry::new(), Published::default());
        let api = api(&history, &registry, &rules, &Settings::default(), clock);
        let router = vigie_api::router::<()>(api).with_state(());
        for (path, expected) in [
            ("query?query=time()", r#"[1767268800,"1767268800"]"#),
            ("status/runtimeinfo", "2026-01-01T12:00:00"),
        ] {
            let request = Request::get(format!("/api/v1/{path}"));
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains(expected), "{body}");
        }
    }
}
