//! What the API answers from: the samples of the history, and what the registry knows of its metrics.

use std::ops::ControlFlow;
use std::sync::Arc;

use vigie_api::{Api, BuildInfo, Metadata, MetricKind, Settings, Source};
use vigie_metrics::{Kind, Registry};
use vigie_promql::storage::{Selection, StorageError};
use vigie_promql::{Labels, Sample, Storage};

use crate::history::Current;

/// The API over what Vigie knows.
pub(crate) fn api(history: &Current, registry: &Registry, settings: &Settings) -> Api {
    let source = Known {
        history: history.clone(),
        registry: registry.clone(),
    };
    Api::new(Arc::new(source), settings.clone(), BuildInfo::default())
}

/// Never answered: before the history is loaded, every request is refused.
const LOADING: &str = "it is being loaded";

struct Known {
    history: Current,
    registry: Registry,
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
}
