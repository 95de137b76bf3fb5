//! Members of a group at one time.

use std::sync::Arc;

use super::mute::Mute;
use crate::alert::{Alert, State};

/// A member as it is now.
pub(super) struct View<'a> {
    pub(super) alert: &'a Arc<Alert>,
    pub(super) state: State,
    pub(super) mute: Option<Mute>,
}
