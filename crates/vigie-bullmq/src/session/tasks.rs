//! The tasks of a node.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::directory::node::WatchedNode;
use crate::session::context::Context;
use crate::session::control::Control;
use crate::session::follower::Follower;
use crate::session::refusals::Refusals;

/// Watches a node until `stop` is cancelled. A read in progress is completed, because entries that were read but not
/// counted would be lost.
pub(crate) async fn watch(context: Arc<Context>, node: Arc<WatchedNode>, stop: CancellationToken) {
    let refusals = Arc::new(Refusals::default());
    let control = Control::new(
        Arc::clone(&context),
        Arc::clone(&node),
        Arc::clone(&refusals),
    );
    let follower = Follower::new(context, node, refusals).run(&stop);
    let (_, ()) = tokio::join!(stop.run_until_cancelled(control.run()), follower);
}
