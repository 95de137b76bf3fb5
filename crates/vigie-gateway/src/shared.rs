//! The state that all connections of the gateway share.

use std::sync::Arc;

use crate::apps::Apps;
use crate::drain::Drain;
use crate::reason::Metrics;
use crate::settings::Settings;

/// One pointer in each connection instead of several.
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) apps: Arc<Apps>,
    pub(crate) drain: Drain,
}
