//! The built-in rule files, and the metrics that rules may read.

pub(crate) mod report;

use vigie_alerts::{Known, Metric, States, load};
use vigie_metrics::{Kind, Meta};

use crate::catalogue;

/// A built-in rule file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BuiltIn {
    /// The essential alerts: HTTP errors, queues, latency, tick, sockets
    Essential,
    /// Error budget, workers, stalled jobs, missing ticks, Vigie itself
    Extended,
}

impl BuiltIn {
    /// Both files.
    pub const ALL: [Self; 2] = [Self::Essential, Self::Extended];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Extended => "extended",
        }
    }

    /// The set that a setting names.
    #[must_use]
    pub fn of(setting: vigie_config::BuiltIn) -> Self {
        match setting {
            vigie_config::BuiltIn::Essential => Self::Essential,
            vigie_config::BuiltIn::Extended => Self::Extended,
        }
    }

    /// Its text, as in `rules/`.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Essential => include_str!("../../../rules/essential.yml"),
            Self::Extended => include_str!("../../../rules/extended.yml"),
        }
    }
}

/// The metrics that rules may read: those of the catalogue, and the results of the built-in recording rules.
#[must_use]
pub fn known() -> Known {
    let mut known = Known::default();
    for meta in catalogue::all() {
        known.add(meta.name, metric(meta));
    }
    for file in BuiltIn::ALL {
        known.learn(&load(file.text()).rules);
    }
    known
}

fn metric(meta: &Meta) -> Metric {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Metric {
        kind: match meta.kind {
            Kind::Counter => vigie_alerts::Kind::Counter,
            Kind::Gauge => vigie_alerts::Kind::Gauge,
            Kind::Histogram => vigie_alerts::Kind::Histogram,
            Kind::Untyped => vigie_alerts::Kind::Untyped,
        },
        labels: meta
            .labels
            .iter()
            .copied()
            .chain(meta.scope)
            .map(str::to_owned)
            .collect(),
        buckets: meta.buckets.seconds.to_vec(),
        states: meta.states.map(|states| States {
            label: states.label.to_owned(),
            counts: owned(states.counts),
            levels: owned(states.levels),
        }),
    }
}
