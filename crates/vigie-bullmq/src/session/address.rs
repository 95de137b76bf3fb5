//! Waits for the address of Redis, which may be in a file that cannot be used yet.

use tokio::time::sleep;
use tracing::{info, warn};

use crate::session::backoff::Backoff;
use crate::session::context::Context;

/// Returns when the address is known. Until then all queues are unknown.
pub(crate) async fn wait(context: &Context) {
    let mut backoff = Backoff::new();
    let mut last = None;
    while let Err(error) = context.settings.redis.find().await {
        let error = error.to_string();
        if last.as_ref() != Some(&error) {
            warn!(
                error,
                "the address of Redis cannot be used; it is read again"
            );
        }
        context.directory.set_lost(Some(error.clone()));
        last = Some(error);
        sleep(backoff.next()).await;
    }
    if last.is_some() {
        info!(redis = %context.settings.redis, "the address of Redis can be used now");
        context.directory.set_lost(None);
    }
}
